"""Values that look like secrets, where a setting is in plaintext."""

import re

__all__ = ["looks_secret"]

_NAME = re.compile(
    r"(?:^|_)(?:PASSWORD|PASSWD|SECRET|TOKEN|PRIVATE_KEY|ACCESS_KEY|API_?KEY|CREDENTIALS?)"
    r"(?:$|_(?!FILE|PATH|URL|NAME|ARN|ID))",
    re.IGNORECASE,
)
"""A part of a variable's name. The file, address or name of a secret isn't one."""
_VALUE = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY"
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b"
    r"|\b(?:gh[opsur]_[A-Za-z0-9]{30,}|github_pat_\w{20,}|glpat-[\w-]{20,}|xox[abprs]-[\w-]{10,})"
    r"|\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}"
    r"|://[^/@:\s]+:[^/@\s]+@"
)
"""A private key, an access key, a token of GitHub, GitLab or Slack, a JSON web token, or a URL with a password."""


def looks_secret(name: str, value: str) -> bool:
    """Whether the variable `name` seems to hold a secret."""
    return bool(_NAME.search(name) or _VALUE.search(value))
