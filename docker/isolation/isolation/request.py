"""A request of a shim, checked: nothing in it leads out of a checkout or to the wrong kind of worker."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from isolation import checkout, paths
from isolation.protocol import ProtocolError

__all__ = ["Command", "checked"]


@dataclass
class Command:
    """A command to run. Paths are relative to the checkout's root."""

    kind: str
    program: str
    arguments: list[str]
    name: str
    directory: str
    workspace: str
    environment: dict[str, str]
    collect: list[str]
    init: list[str] | None
    merge: bool
    plan_file: str | None
    plan_sha256: str | None
    git: dict[str, str] | None
    """A token that reads modules, and its host."""
    stale: bool
    """Whether what `init` has made in the directory is outdated: the server's checkout lacks it."""


def checked(request: Mapping[str, Any], role: str) -> Command:
    """The command of `request` for the executor `role`; raises `ProtocolError` for one that no shim sends."""
    command = Command(
        kind=request["kind"],
        program=request["program"],
        arguments=list(request["arguments"]),
        name=request["checkout"],
        directory=request["directory"],
        workspace=request["workspace"],
        environment=dict(request["environment"]),
        collect=list(request["collect"]),
        init=request["init"],
        merge=request["merge"],
        plan_file=request.get("plan_file"),
        plan_sha256=request.get("plan_sha256"),
        git=request.get("git"),
        stale=request.get("stale", False),
    )
    if not checkout.valid_name(command.name):
        raise ProtocolError(f"{command.name!r} isn't a checkout")
    for path in (command.directory, *command.collect, command.plan_file or "."):
        if path.startswith("/") or ".." in path.split("/"):
            raise ProtocolError(f"{path!r} isn't a path in a checkout")
    # A worker of the other kind has the other credentials.
    if request["role"] != role or (
        command.kind != "run" and (command.kind in paths.APPLY_ONLY) != (role == paths.APPLY)
    ):
        raise ProtocolError(f"{command.kind} doesn't run on {role} workers")
    if role == paths.APPLY and (command.plan_file is None) != (command.kind == "import"):
        raise ProtocolError("apply workers apply a plan file, or import")
    return command
