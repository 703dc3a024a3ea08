"""How the server's container starts: it takes over its secrets and leaves none where a plan can read them."""

from collections.abc import Iterable
from pathlib import Path
from typing import TypedDict

__all__ = ["ServerStart", "server_start"]

_SCRIPT = Path(__file__).with_suffix(".sh")


class ServerStart(TypedDict):
    """The two members of an ECS container definition that replace the image's own command."""

    entryPoint: list[str]
    command: list[str]


def server_start(secrets: Iterable[str]) -> ServerStart:
    """Start the image's Atlantis with ``secrets`` (names of variables, ``ATLANTIS_*``) in its configuration only.

    The container must have no health check of its own: ECS runs one with the container's environment, and so would put
    the secrets within reach of a plan every 30 seconds. The load balancer checks the server's health.
    """
    return {
        "entryPoint": ["/bin/sh", "-c", _SCRIPT.read_text(encoding="utf-8"), "server-start"],
        "command": sorted(secrets),
    }
