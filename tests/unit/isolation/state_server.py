"""A state for Terraform's backend `http`, which locks, and shows what is locked."""

import json
from email.message import Message
from typing import Any

from tests.unit.isolation.answering import Answering


class StateServer(Answering):
    """Holds one state and its lock."""

    def __init__(self) -> None:
        self.state: bytes = b""
        self.lock: dict[str, Any] | None = None
        self.locked = 0
        super().__init__()

    @property
    def backend(self) -> str:
        names = ("address", "lock_address", "unlock_address")
        addresses = "".join(f'    {name} = "{self.url}/state"\n' for name in names)
        return f'terraform {{\n  backend "http" {{\n{addresses}  }}\n}}\n'

    def answer(self, method: str, path: str, headers: Message, body: bytes) -> tuple[int, bytes]:  # noqa: ARG002
        match method:
            case "GET":
                return 200 if self.state else 404, self.state
            case "POST":
                self.state = body
            case "LOCK" if self.lock:
                return 423, json.dumps(self.lock).encode()
            case "LOCK":
                self.lock, self.locked = json.loads(body), self.locked + 1
            case _:
                self.lock = None
        return 200, b""
