"""The start of the server's container: the server reads its secrets and rules, and plans can't read them afterwards."""

from collections.abc import Iterable
from pathlib import Path
from typing import TypedDict

_SCRIPT = Path(__file__).with_suffix(".sh")
_ISOLATED = _SCRIPT.with_name("isolated_start.sh")


class ServerStart(TypedDict):
    """The two members of an ECS container definition that replace the image's own command."""

    entryPoint: list[str]
    command: list[str]


def server_start(handed_over: Iterable[str], *, isolated: bool = False) -> ServerStart:
    """Start the image's Atlantis with ``handed_over`` (names of ``ATLANTIS_*`` variables) in its configuration only.

    If ``isolated``, Terraform's shims precede the image's programs on the path.

    The container must not have a health check: ECS runs it with the container's environment, from which a plan could
    read the secrets every 30 seconds. The load balancer checks the server's health.
    """
    scripts = [_ISOLATED, _SCRIPT] if isolated else [_SCRIPT]
    script = "".join(path.read_text(encoding="utf-8") for path in scripts)
    return {
        "entryPoint": ["/bin/sh", "-c", script, "server-start"],
        "command": sorted(handed_over),
    }
