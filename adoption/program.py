"""What this program would register for a stack: its own run, without engine and AWS.

Every value that AWS would answer is a reference such as `${storage-efs.id}`, so that the pairing can follow it.
"""

import asyncio
import contextlib
import contextvars
import dataclasses
import gc
import json
import re
import runpy
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import pulumi
from pulumi.runtime import rpc
from pulumi.runtime.mocks import MockCallArgs, MockEngine, MockMonitor, MockResourceArgs, Mocks, MockSettings
from pulumi.runtime.settings import configure
from pulumi.runtime.stack import run_in_stack

__all__ = ["REFERENCE", "Wanted", "register", "run_program"]

PROGRAM = Path(__file__).resolve().parents[1] / "__main__.py"
REFERENCE = re.compile(r"\$\{(?P<name>[^}]+)\.(?P<property>\w+)\}")
COMPUTED = (
    *("arn", "arnSuffix", "dnsName", "fqdn", "hostedZoneId", "keyId", "primaryEndpointAddress", "repositoryUrl"),
    *("result", "revision", "zoneId"),
)
"""Outputs that components hand on and that are no inputs of their resource."""

Lookup = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]


@dataclasses.dataclass(frozen=True)
class Wanted:
    """One AWS resource as the program asks for it."""

    type: str
    name: str
    inputs: Mapping[str, Any]


class _Answers(Mocks):
    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup

    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        outputs: dict[str, Any] = {name: f"${{{args.name}.{name}}}" for name in COMPUTED} | dict(args.inputs)
        if args.typ == "aws:acm/certificate:Certificate":
            names = ("resourceRecordName", "resourceRecordType", "resourceRecordValue")
            outputs["domainValidationOptions"] = [{name: f"${{{args.name}.{name}}}" for name in names}]
        return f"${{{args.name}.id}}", outputs

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        return dict(self._lookup(args.token, args.args)), []


class _Recorder(MockMonitor):
    def __init__(self, lookup: Lookup) -> None:
        super().__init__(_Answers(lookup))
        self.wanted: list[Wanted] = []

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the monitor's own name
        if request.custom and request.type.startswith("aws:"):
            inputs = rpc.deserialize_properties(request.object, keep_unknowns=True)
            plain = {key: _plain(rpc.unwrap_rpc_secret(value)) for key, value in inputs.items()}
            self.wanted.append(Wanted(request.type, request.name, plain))
        return super().RegisterResource(request)


def _plain(value: Any) -> Any:
    """Whole numbers as such: on the wire every number is a floating one."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def register(stack: str, region: str, settings: Mapping[str, Any], lookup: Lookup) -> list[Wanted]:
    """The AWS resources that the program registers for `settings` (key without namespace to value).

    `lookup` answers the program's data sources: token and arguments to the result.

    Raises:
        pulumi.RunError: as the program does, about wrong settings.
    """
    recorder = _Recorder(lookup)
    run_program(recorder, stack, region, settings)
    return recorder.wanted


def run_program(
    monitor: MockMonitor, stack: str, region: str, settings: Mapping[str, Any], secret_keys: Collection[str] = ()
) -> None:
    """Run the program with `monitor` in the place of the engine's.

    Args:
        monitor: takes what the program registers.
        stack: the stack's name.
        region: the value of `aws:region`.
        settings: values by key, without the namespace.
        secret_keys: keys that the stack file holds encrypted.

    Raises:
        pulumi.RunError: as the program does.
    """
    config = {
        f"atlantis:{key}": value if isinstance(value, str) else json.dumps(value) for key, value in settings.items()
    }

    async def run() -> None:
        # What `set_mocks` does, but for a root stack that is finished, and takes no outputs, before the program begins.
        configure(
            MockSettings(
                monitor=monitor,
                monitor_features=set(monitor.GetDeploymentInfo(None).supportedFeatures),
                engine=MockEngine(None),
                project="atlantis",
                stack=stack,
                dry_run=False,
                organization=None,
                callbacks=None,
            )
        )
        pulumi.runtime.set_all_config(config | {"aws:region": region}, [f"atlantis:{key}" for key in secret_keys])
        await run_in_stack(lambda: (runpy.run_path(str(PROGRAM)), None)[1])

    with _without_garbage_collection():
        # The SDK keeps its settings in context variables: a context of its own keeps runs apart.
        contextvars.copy_context().run(asyncio.run, run())


@contextlib.contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """A run makes thousands of futures that all live until its end: looking through them takes half its time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
