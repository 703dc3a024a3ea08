"""Arguments of Terraform in comments: those that change what an apply does, or where files are, and are therefore denied.

Everyone who can comment on a pull request can write `atlantis plan -- <arguments>`, and an approval doesn't cover the arguments of a
later plan. Atlantis compares each argument with the list exactly, or up to its `=`, so both spellings are listed.
"""

from collections.abc import Collection

BLOCKED = (
    # What the apply does.
    "-allow-missing",
    "-allow-missing-config",
    "-destroy",
    "-exclude",
    "-exclude-file",
    "-invoke",
    "-refresh",
    "-refresh-only",
    "-replace",
    "-target",
    "-target-file",
    "-var",
    "-var-file",
    # Which state it uses, and whether it is locked.
    "-ignore-remote-version",
    "-lock",
    "-lock-timeout",
    "-lockfile",
    "-state",
    "-state-out",
    # Where files are read and written.
    "-backup",
    "-backup-out",
    "-chdir",
    "-config",
    "-generate-config-out",
    "-json-into",
    "-out",
    "-plugin-dir",
    # What the comment shows.
    "-show-sensitive",
)
"""Terraform's and OpenTofu's arguments with one dash; with two, they have the same effect."""


def blocked(allowed: Collection[str], more: str = "") -> str:
    """The value of the server's flag `blocked-extra-args`.

    Args:
        allowed: arguments of `BLOCKED` that comments can have.
        more: further arguments to deny, separated by commas, as in the flag.
    """
    denied = [f"{dash}{name}" for name in BLOCKED if name not in allowed for dash in ("", "-")]
    given = [name for part in more.split(",") if (name := part.strip())]
    return ",".join(dict.fromkeys([*denied, *given]))
