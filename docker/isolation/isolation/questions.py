"""Short questions to an executor that need no checkout: does it work, what runs, what has ended."""

import json
import socket
import sys
from typing import Any

from isolation import paths, protocol
from isolation.protocol import Channel, ProtocolError

_PATIENCE = 20


def ask(connection: socket.socket, kind: str, **question: Any) -> dict[str, Any]:
    """The executor's answer; raises OSError or ProtocolError without one."""
    connection.settimeout(_PATIENCE)
    channel = Channel(connection)
    channel.send_json(protocol.REQUEST, {"protocol": protocol.VERSION, "kind": kind, **question})
    content = b""
    while (message := channel.receive()) is not None:
        if message[0] == protocol.DATA:
            content += message[1]
        elif message[0] == protocol.EXIT:
            ended = protocol.decode(message[1])
            if ended["code"]:
                raise ProtocolError(str(ended["message"]))
            return json.loads(content) if content else {}
    raise OSError("the executor closed the connection")


def ask_here(kind: str, **question: Any) -> dict[str, Any]:
    """Ask the executor of this task."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(_PATIENCE)
        connection.connect(str(paths.EXECUTOR_SOCKET))
        return ask(connection, kind, **question)


def main() -> None:
    """The health check of the container `executor`: exit with 0, or with a sentence that is in ECS' events."""
    try:
        ask_here("ping")
    except (OSError, ProtocolError) as problem:
        sys.exit(f"the executor can't run commands: {problem}")
