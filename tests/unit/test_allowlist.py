"""The allowlist of repositories: what is accepted, and what each entry matches, as Atlantis decides it."""

from typing import Any

import pytest

from components.settings import parse
from components.settings.allowlist import described, serves
from tests.tables import table
from tests.unit.recording import LOCAL, REGION

ENTRIES = table(__file__, "entries")
SERVED = table(__file__, "served")
"""Repositories that the entries serve or not; `tests/sandbox/test_vcs_kinds.py` asks the real server the same."""


def test_an_entry_serves_what_atlantis_serves() -> None:
    assert {name: serves(ENTRIES, f"github.com/{name}") for name in SERVED} == SERVED


def test_a_preview_says_what_each_entry_matches() -> None:
    assert list(described(ENTRIES)) == [
        "github.com/acme/* serves every repository of github.com/acme",
        "github.com/beta/infra serves this repository",
        "github.com/gamma/tf-* serves every repository whose name begins with github.com/gamma/tf-",
        "!github.com/acme/secret doesn't serve this repository",
        "!github.com/acme/old-* doesn't serve every repository whose name begins with github.com/acme/old-",
    ]


@pytest.mark.parametrize(
    "settings",
    [
        {"vcsKind": "azure-devops", "repoAllowlist": "dev.azure.com/fabrikam/my project/*"},
        {"vcsKind": "bitbucket-server", "vcsHost": "git.acme.io", "repoAllowlist": "git.acme.io/My Platform/infra"},
        {"vcsKind": "gitea", "vcsHost": "git.acme.io", "repoAllowlist": "git.acme.io/*", "serveEveryOwner": True},
    ],
    ids=lambda settings: settings["vcsKind"],
)
def test_names_with_spaces_and_every_owner_of_an_own_host_are_accepted(settings: dict[str, Any]) -> None:
    more = {"vcsUser": "atlantis-bot", "vcsWebhookCidrBlocks": ["198.51.100.0/24"]}
    given = parse({**LOCAL, **more, **settings}, stack="prod", region=REGION)
    assert given.server.repo_allowlist == settings["repoAllowlist"]
