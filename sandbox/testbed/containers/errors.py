"""Errors that tell the operator why a task doesn't start."""

from sandbox.testbed.errors import SandboxError


class TaskStartError(SandboxError):
    """The task can't start as it is defined, and a retry would fail too; ``problems`` has a sentence for each cause."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = list(problems)
