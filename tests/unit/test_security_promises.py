"""What docs/security.md promises about plans, sentence by sentence, against the rows of the attack table that show it."""

import fnmatch
import re

from sandbox.attack.table import ROWS
from sandbox.testbed.paths import CHECKOUT

TEXT = (CHECKOUT / "docs" / "security.md").read_text(encoding="utf-8")

ON_EVERY_STACK = {
    "read the App's private key": (
        *("file-*", "local-exec", "external-program", "every-comment", "provider-environments", "provider-files"),
        *("provider-server-memory", "provider-server-descriptors"),
    ),
    "stop the server and answer": ("provider-server-stopped",),
    "plan or apply with a repository's own": ("own-*", "fork", "other-base", "repository-elsewhere"),
    "run a command through the name": (
        *("branch-name", "directory-name", "directory-escape", "workspace-name"),
        *("extra-argument", "comment-separator"),
    ),
    "change what an approved apply does": ("argument-*", "blocked-argument"),
    "run a command in the server through": ("bare-repository", "link-*"),
    "read the page, delete locks": ("localhost-port",),
    "call AWS with more permissions": ("plan-*", "credentials-*"),
}
WITH_ISOLATION = {
    "reach the server or another worker": ("server-reached", "server-port", "worker-key"),
    "reach a file, a process": (
        *("server-process", "isolation-server-data", "isolation-sockets", "isolation-token"),
        *("isolation-apply-environment", "isolation-task-role", "isolation-apply-addresses"),
    ),
    "reach those of another pull request": ("isolation-other-pull-requests", "isolation-left-process"),
    "write to AWS, except the lock": ("isolation-aws-write", "state-digest"),
    "read, list or lock the states": (
        *("state-of-another-repository", "names-of-other-states", "lock-of-another-repository"),
    ),
    "assume a role that isn't": ("plan-role-of-applies",),
    "leave a file in the server's": ("isolation-checkout", "isolation-plan-link"),
    "change what an apply runs": ("isolation-plan-file",),
    "take the memory": ("server-memory", "worker-memory"),
    "fill the disk": ("worker-disk", "worker-disk-unlinked"),
    "keep memory or disk": ("worker-left",),
}
OF_DRIFT_DETECTION = ("api-secret-*",)
"""The API's secret, which only a stack with drift detection has: docs/drift.md."""


def _promises(after: str) -> list[str]:
    """The items of the list after a line of the document."""
    listed = TEXT.partition(f"{after}\n\n")[2].partition("\n\n")[0]
    return [" ".join(item.split()) for item in re.split(r"^- ", listed, flags=re.MULTILINE)[1:]]


def _rows(patterns: tuple[str, ...], *, isolation: bool) -> set[str]:
    found = set()
    for pattern in patterns:
        names = {row.name for row in ROWS if fnmatch.fnmatchcase(row.name, pattern) and row.isolation is isolation}
        assert names, f"no row is called {pattern}"
        found |= names
    return found


def _checked(promises: list[str], rows: dict[str, tuple[str, ...]], *, isolation: bool) -> set[str]:
    assert len(promises) == len(rows)
    for promise, beginning in zip(promises, rows, strict=True):
        assert promise.startswith(beginning)
    return {name for patterns in rows.values() for name in _rows(patterns, isolation=isolation)}


def test_each_promise_about_every_stack_has_rows_that_every_stack_runs() -> None:
    assert _checked(_promises("On every stack, a plan can't:"), ON_EVERY_STACK, isolation=False)


def test_each_promise_of_isolation_has_rows_and_each_row_of_isolation_a_promise() -> None:
    shown = _checked(_promises("A plan then can't:"), WITH_ISOLATION, isolation=True)
    shown |= _rows(OF_DRIFT_DETECTION, isolation=True)
    assert {row.name for row in ROWS if row.isolation} == shown
