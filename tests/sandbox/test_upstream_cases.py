"""Atlantis' own end-to-end cases as pull requests through the deployed server, in stock mode and with workers.

The comments are Atlantis' own, apart from the table of differences. Each day, other cases run in stock mode; `make conformance` runs all in
both modes.
"""

import itertools
import json
import os
import tempfile
import time
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from sandbox.attack import page
from sandbox.attack.target import Target
from sandbox.builds import CONFTEST
from sandbox.pull_requests import PullRequests, deliver, is_busy
from sandbox.sandbox import Sandbox
from sandbox.testbed.github import events
from sandbox.testbed.github.store import PullRequest
from sandbox.testbed.paths import CHECKOUT
from tests.conformance.upstream import CASES, WAITED, Case, normalized, unfolded
from tests.needs import needs, needs_containers
from tests.sandbox.atlantis.pull_requests import operations_of
from tests.sandbox.atlantis.served import reachable_scratch

pytestmark = [needs("terraform"), needs("stunnel"), needs_containers()]

MODES: Mapping[str, Mapping[str, Any]] = {"stock": {}, "workers": {"terraformIsolation": "tasks"}}
BACKENDS: Mapping[str, str] = {
    "stock": "",
    "workers": """
terraform {
  backend "s3" {
    bucket  = "local-terraform-state"
    key     = "KEY"
    region  = "ap-northeast-2"
    encrypt = true
  }
}
""",
}
"""Workers accept no local state, which would be lost with their copy of the checkout."""
_ALLOWED = "Atlantis' own test renders the comments as if `apply` were allowed"
_WORKSPACE = "a plan can't create the workspace, because its role can't write a state (docs/security.md)"
DIFFERENCES: Mapping[tuple[str, str], str] = {
    ("stock", "omitting apply"): _ALLOWED,
    ("workers", "omitting apply"): _ALLOWED,
    ("workers", "server-side cfg"): _WORKSPACE,
    ("workers", "simple with workspaces"): _WORKSPACE,
    ("workers", "simple with atlantis.yaml"): _WORKSPACE,
    ("workers", "workspaces parallel"): _WORKSPACE,
    ("workers", "global apply lock"): _WORKSPACE,
    ("workers", "import workspace"): _WORKSPACE,
    ("workers", "state rm"): "`terraform state rm` isn't available on workers: no approval covers it",
    (
        "workers",
        "tfvars",
    ): "the case's own backend is local, and workers accept no local state (docker/isolation/README.md)",
}
"""The reason why a case's comments differ, by mode and by the beginning of the case's name."""
NOT_RUN: Mapping[str, str] = {
    "simple-with-lockfile": "the lock file has the checksums of a provider that needs a download"
}

SLICES = 8
"""A day's share of the cases is one of so many."""
_AUTHOR = "runatlantis"
_SETTINGS = {
    "repoAllowlist": "github.com/runatlantis/*",
    "allowWeakerRequirements": True,
    "allowStateCommands": True,
    "allowedExtraArguments": ["-var", "-lock"],
}


def _chosen() -> list[tuple[str, Case]]:
    everything = os.environ.get("CONFORMANCE") == "all"
    modes = MODES if everything else ["stock"]
    found = [(mode, case) for mode in modes for case in CASES if case.directory.name not in NOT_RUN]
    # Cases with the same configuration of the server follow each other.
    found.sort(key=lambda each: (each[0], json.dumps([each[1].flags, each[1].rules], sort_keys=True)))
    return found if everything else found[date.today().toordinal() % SLICES :: SLICES]


class _Server:
    """A deployed server of a mode, whose configuration changes from case to case."""

    def __init__(self, sandbox: Sandbox, folder: Path) -> None:
        self.sandbox, self._folder, self._configured = sandbox, folder, ""

    @property
    def requests(self) -> PullRequests:
        """The pull requests of the deployed server."""
        return PullRequests.of(self.sandbox)

    def configure(self, case: Case) -> None:
        wanted = json.dumps([case.flags, case.rules], sort_keys=True)
        if wanted != self._configured:
            for setting, content in (("serverConfigFile", case.flags), ("repoConfigFile", case.rules)):
                file = self._folder / f"{setting}.yaml"
                file.write_text(json.dumps(content), encoding="utf-8")
                self.sandbox.settings[f"atlantis:{setting}"] = str(file.relative_to(CHECKOUT))
            self.sandbox.up()
            self._configured = wanted

    def lock(self, *, locked: bool) -> None:
        """Disable applies on the web page, or enable them again."""
        target = Target.of(self.sandbox)
        method, path = ("POST", "/apply/lock") if locked else ("DELETE", "/apply/unlock")
        headers = {**page.signed_in(target), "Sec-Fetch-Site": "same-origin"}
        assert target.load_balancer.request(method, path, headers=headers).status == 200

    def replies(self, pull: PullRequest, event: str, body: bytes) -> list[str]:
        """Atlantis' comments on an event."""
        requests = self.requests
        service = requests.deployment
        for _ in range(10):
            before = len(requests.comments(pull))
            assert deliver(service, event, body).status == 200
            idle = 0
            deadline = time.monotonic() + 120
            while idle < 4 and time.monotonic() < deadline:
                time.sleep(0.2)
                idle = 0 if operations_of(service) else idle + 1
            found = requests.comments(pull)[before:]
            if not any(map(is_busy, found)):
                return found
        raise AssertionError(f"another command still runs: {event}")


@pytest.fixture(scope="module")
def server(request: pytest.FixtureRequest) -> Iterator[_Server]:
    with (
        pytest.MonkeyPatch.context() as patch,
        tempfile.TemporaryDirectory(dir=CHECKOUT / ".sandbox") as folder,
        reachable_scratch() as scratch,
    ):
        patch.setenv("PATH", f"{os.environ['PATH']}:{CONFTEST.parent}")
        made = _Server(scratch.with_server(**_SETTINGS, **MODES[request.param]), Path(folder))
        yield made
        made.sandbox.down(force=True)


@pytest.mark.parametrize(
    ("server", "case"),
    [pytest.param(mode, case, id=f"{mode}-{case.name}") for mode, case in _chosen()],
    indirect=["server"],
    scope="module",
)
def test_a_case_of_atlantis_has_the_expected_comments(
    server: _Server, case: Case, request: pytest.FixtureRequest
) -> None:
    if case.flags.get("enable-policy-checks") and not CONFTEST.exists():
        pytest.skip("no conftest (python -m sandbox.builds conftest)")
    server.configure(case)
    mode = request.node.callspec.params["server"]
    store, files = server.requests.store, case.files(BACKENDS[mode])
    store.create_repository(
        case.repository, {".gitkeep": "", **{path: text for path, text in files.items() if path not in case.modified}}
    )
    changed = {path: text for path, text in files.items() if path in case.modified} or {"unrelated": ""}
    pull = store.approve(store.open_pull_request(case.repository, "branch", changed, case.name), "reviewer")
    found = server.replies(pull, "pull_request", events.pull_request(store, pull))
    if case.locked:
        server.lock(locked=True)
    for comment in case.comments:
        text = comment.replace("random_id", "terraform_data")
        found += server.replies(pull, "issue_comment", events.comment(pull, text, _AUTHOR))
    if case.locked:
        server.lock(locked=False)
    current = store.pull_request(case.repository, pull.number)
    assert current
    if not current.merged:
        current = store.merge(current)
    found += server.replies(pull, "pull_request", events.pull_request(store, current, "closed"))
    differences = _differences(case, found)
    reason = next(
        (text for (of, begins), text in DIFFERENCES.items() if of == mode and case.name.startswith(begins)), ""
    )
    assert bool(reason) == bool(differences), "\n\n".join([reason or "no reason is known", *differences])


def _differences(case: Case, found: list[str]) -> list[str]:
    differences = []
    for files, comment in itertools.zip_longest(case.replies, map(normalized, found)):
        expected = [case.expected(name) for name in files or ()]
        shape = unfolded if case.shorter or (comment and WAITED in comment) else str
        parts, whole = list(map(shape, expected)), shape(comment or "")
        same = all(part in whole for part in parts) if len(parts) > 1 else parts == [whole]
        if not same:
            differences.append(f"expected {files}:\n{'---'.join(expected)}\nfound:\n{comment}")
    return differences
