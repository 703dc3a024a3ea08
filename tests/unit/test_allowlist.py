"""The allowlist of repositories: what is accepted, and what each entry matches, as Atlantis decides it."""

from components.settings.allowlist import described, serves
from tests.tables import table

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
