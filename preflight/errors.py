"""The outcomes of a check, and an exception for each outcome other than success."""

from enum import StrEnum

from components.configuration.secret_names import redacted


class Status(StrEnum):
    """The outcome of a check."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    NOT_CHECKED = "not checked"


class UnmetError(Exception):
    """What is wrong (`message`), and how to fix it (`remedy`, empty if no action is required)."""

    status = Status.FAILED

    def __init__(self, message: str, remedy: str = "") -> None:
        self.message = redacted(message)
        self.remedy = redacted(remedy)
        super().__init__(self.message)


class FailedError(UnmetError):
    """The deployment would fail, or the deployed resources would not work."""


class WarnedError(UnmetError):
    """The deployment works, with a risk that the message names."""

    status = Status.WARNING


class NotCheckedError(UnmetError):
    """With these settings, there is nothing to check, or it can't be checked."""

    status = Status.NOT_CHECKED
