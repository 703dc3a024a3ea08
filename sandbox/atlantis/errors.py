"""Why a task does not run, in words for the operator who has to fix it."""

from sandbox.errors import SandboxError

__all__ = ["TaskStartError"]


class TaskStartError(SandboxError):
    """The task can't start as it is defined: trying again would end the same way. One sentence per problem."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems
