"""Finds the resources that this program would register for a stack, by running it without the engine and AWS.

Every value that AWS would return is a reference such as `${storage-efs.id}`, which the pairing follows.
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
from pulumi.runtime.settings import SETTINGS, configure
from pulumi.runtime.stack import run_in_stack

PROGRAM = Path(__file__).resolve().parents[1] / "__main__.py"
REFERENCE = re.compile(r"\$\{(?P<name>[^}]+)\.(?P<property>\w+)\}")
COMPUTED = (
    *("arn", "arnSuffix", "dnsName", "fqdn", "hostedZoneId", "keyId", "primaryEndpointAddress", "repositoryUrl"),
    *("result", "revision", "zoneId"),
)
"""Outputs that components pass to other resources and that aren't inputs of the same resource."""

Lookup = Callable[[str, Mapping[str, Any]], Mapping[str, Any]]


@dataclasses.dataclass(frozen=True)
class Wanted:
    """One AWS resource as the program registers it."""

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
    """Convert whole numbers to integers, because the engine's protocol transfers all numbers as floats."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def register(stack: str, region: str, settings: Mapping[str, Any], lookup: Lookup) -> list[Wanted]:
    """The AWS resources that the program registers for `settings` (key without namespace to value).

    `lookup` returns the results of the program's data sources, given a token and arguments.

    Raises:
        pulumi.RunError: the program reports invalid settings.
    """
    recorder = _Recorder(lookup)
    run_program(recorder, stack, region, settings)
    return recorder.wanted


def _own_program() -> None:
    runpy.run_path(str(PROGRAM))


def run_program(
    monitor: MockMonitor,
    stack: str,
    region: str,
    settings: Mapping[str, Any],
    secret_keys: Collection[str] = (),
    *,
    program: Callable[[], None] = _own_program,
) -> None:
    """Run a program with `monitor` instead of the engine's resource monitor.

    Args:
        monitor: receives the program's registrations.
        stack: the stack's name.
        region: the value of `aws:region`.
        settings: values by key, without the namespace.
        secret_keys: keys whose values are encrypted in the stack file.
        program: the program; the default is this repository's.

    Raises:
        pulumi.RunError: the program raises it.
    """
    config = {
        f"atlantis:{key}": value if isinstance(value, str) else json.dumps(value) for key, value in settings.items()
    }

    async def run() -> None:
        # Like `set_mocks`, but without its root stack, which would complete without outputs before the program starts.
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
                # Those of a run that failed belong to a closed event loop.
                outputs=set(),
            )
        )
        # A run that ended with an error leaves futures of its own event loop, which is closed.
        SETTINGS.rpc_manager.clear()  # pyright: ignore[reportAttributeAccessIssue] - a property of the context
        SETTINGS.outputs.clear()  # pyright: ignore[reportAttributeAccessIssue]
        pulumi.runtime.set_all_config(config | {"aws:region": region}, [f"atlantis:{key}" for key in secret_keys])
        await run_in_stack(program)

    with _without_garbage_collection():
        # The SDK stores its settings in context variables, so a separate context isolates each run.
        contextvars.copy_context().run(asyncio.run, run())


@contextlib.contextmanager
def _without_garbage_collection() -> Iterator[None]:
    """A run creates thousands of futures that live until it ends. Scanning them would take half of the run's time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
