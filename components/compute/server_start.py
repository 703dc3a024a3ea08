"""The start of the server's container: the server reads its secrets and rules, and plans can't read them afterwards."""

from collections.abc import Iterable
from pathlib import Path

_SCRIPT = Path(__file__).with_suffix(".sh")
_ISOLATED = _SCRIPT.with_name("isolated_start.sh")


def server_start(handed_over: Iterable[str], *, isolated: bool = False) -> dict[str, list[str]]:
    """`entryPoint` and `command` of a container definition: the image's Atlantis, with ``handed_over`` in its configuration only.

    ``handed_over``: names of ``ATLANTIS_*`` variables.

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
