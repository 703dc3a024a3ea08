"""Makes substitutes in the local AWS, with the calls in calls.yaml."""

import functools
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from sandbox.testbed.local_aws.instance import LocalAws
from sandbox.testbed.yaml_files import read_yaml

_CALLS: dict[str, list[dict[str, Any]]] = read_yaml(Path(__file__).with_name("calls.yaml"))


@contextmanager
def left_by_a_killed_run(taken: str) -> Iterator[None]:
    """Adopt an existing resource of the same name: a run was killed before it recorded it, or a user created the secret."""
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] != taken:
            raise


def made(aws: LocalAws, kind: str, **values: Any) -> str:
    """Make a substitute with these values of its calls; returns its ID."""
    values |= {"id": values.get("name", ""), "region": aws.region}
    for call in _CALLS[kind]:
        service, operation = call["call"].split()
        with left_by_a_killed_run(call.get("taken", "")):
            answer = getattr(aws.client(service), operation)(**_filled(call.get("with", {}), values))
            if "id" in call:
                values["id"] = functools.reduce(_member, call["id"].split("."), answer)
    return values["id"]


def _member(value: Any, key: str) -> Any:
    return value[int(key)] if isinstance(value, list) else value[key]


def _filled(value: Any, values: dict[str, Any]) -> Any:
    """``value`` with ``values`` for the names in braces; a text that is only such a name becomes the value as it is."""
    if isinstance(value, dict):
        filled = {key: _filled(item, values) for key, item in value.items()}
        return json.dumps(filled["json"]) if filled.keys() == {"json"} else filled
    if isinstance(value, list):
        return [_filled(item, values) for item in value]
    if not isinstance(value, str):
        return value
    whole = value.startswith("{") and value.endswith("}") and value[1:-1] in values
    return values[value[1:-1]] if whole else value.format(**values)
