"""Waits for both executors before the server starts, so that a deployment with broken ones fails and is rolled back."""

import sys

from isolation import client, paths

__all__ = ["main"]

_PATIENCE = 60


def main() -> None:
    """Exit with 0 if both answer, otherwise with a sentence for each that doesn't."""
    problems = {role: client.ping(paths.executor_socket(role), _PATIENCE) for role in paths.ROLES}
    for role, problem in problems.items():
        if problem:
            print(f"The container {role} can't run Terraform: {problem}", file=sys.stderr, flush=True)
    sys.exit(any(problems.values()))
