"""The outcomes of a check, and the exceptions for those that aren't good."""

from enum import StrEnum

__all__ = ["FailedError", "NotCheckedError", "Status", "UnmetError", "WarnedError"]


class Status(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    NOT_CHECKED = "not checked"


class UnmetError(Exception):
    """What is wrong (`message`) and what to do about it (`remedy`, empty where nothing has to be done)."""

    status = Status.FAILED

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy


class FailedError(UnmetError):
    """The deployment would fail, or what it deploys would not work."""


class WarnedError(UnmetError):
    """The deployment works, with a risk that the message names."""

    status = Status.WARNING


class NotCheckedError(UnmetError):
    """There is nothing to check with these settings, or no way to check it."""

    status = Status.NOT_CHECKED
