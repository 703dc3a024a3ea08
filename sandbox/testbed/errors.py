"""The error that the sandbox shows to its users as a plain message."""


class SandboxError(Exception):
    """An error that the user can fix. The message states the problem and the fix, and is shown without a traceback."""
