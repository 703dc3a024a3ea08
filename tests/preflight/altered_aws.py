"""The local AWS with single answers changed, for states that it never has."""

import os
from typing import Any, TypeAlias

import boto3
from botocore.exceptions import ClientError

from preflight.aws import Aws


class Whole(dict[str, Any]):
    """The answer of a service that the local AWS doesn't have."""


Changes: TypeAlias = dict[tuple[str, str], dict[str, Any] | tuple[str, str]]
"""By service and operation: members to change in members of the answer, or the code and message of an error."""


class KeptClients(boto3.Session):
    """A session that makes one client for each service and endpoint: making one takes longer than its calls."""

    def __init__(self, *credentials: str) -> None:
        super().__init__(*credentials)
        self._kept: dict[tuple[str, str], Any] = {}

    def client(self, service_name: str, **options: Any) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        key = (service_name, os.environ["AWS_ENDPOINT_URL"])
        if key not in self._kept:
            self._kept[key] = super().client(service_name, **options)
        return self._kept[key]


class AlteredAws(Aws):
    """The local AWS with single answers changed, or refused: states of a certificate, say, that it never has."""

    def __init__(self, region: str, session: boto3.Session, changes: Changes) -> None:
        super().__init__(region, session)
        self._changes = changes

    def _call(self, service: str, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        change = self._changes.get((service, operation), {})
        if isinstance(change, tuple):
            raise ClientError({"Error": {"Code": change[0], "Message": change[1]}}, operation)
        if isinstance(change, Whole):
            return change
        answer = super()._call(service, operation, parameters)
        for member, members in change.items():
            whole = answer[member][0] if isinstance(answer[member], list) else answer[member]
            whole.update(members)
        return answer
