"""The one error that a person of the sandbox sees as a plain message."""

__all__ = ["SandboxError"]


class SandboxError(Exception):
    """Something a person can act on; the message says what is wrong and the way out, and is shown without a traceback."""
