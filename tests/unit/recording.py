"""Runs the real program under Pulumi's mocks and keeps what it registers: the graph of one stack's resources."""

import contextlib
import dataclasses
import functools
import gc
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pulumi
from pulumi.runtime import rpc
from pulumi.runtime.mocks import MockCallArgs, MockMonitor, MockResourceArgs, Mocks

from adoption.program import run_program
from tests.tables import table
from tests.unit.existing_parts import EXISTING_VPC, of_existing_parts, route_tables

ACCOUNT, REGION = "123456789012", "ap-northeast-2"
DEPLOYER = f"arn:aws:iam::{ACCOUNT}:role/deployer"
PARTITION = {"partition": "aws", "dnsSuffix": "amazonaws.com"}
SECRET_KEYS = {
    "shared/by-id": "1a2b3c4d-0000-4000-8000-000000000000",
    "shared/by-alias": "arn:aws:kms:::alias/shared",
    "shared/default": "",
    "shared/managed": "alias/aws/secretsmanager",
}
"""What DescribeSecret shows as the key of a secret that exists; a key's ARN for every other name."""
ZONE_OF = {"1": "ap-northeast-2a", "2": "ap-northeast-2c", "3": "ap-northeast-2a", "4": "ap-northeast-2c"}

LOCAL: dict[str, Any] = {
    "allowedCidrBlocks": ["203.0.113.0/24"],
    "url": "https://atlantis.example.com",
    "acmCertificateArn": f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9",
    "repoAllowlist": "github.com/my-organization/*",
    "permissionsBoundaryArn": f"arn:aws:iam::{ACCOUNT}:policy/boundary",
    "secretReaderArns": [DEPLOYER],
    "managedNamePrefixes": ["fileflow-", "atlantis-"],
}
"""The least settings that make a whole stack, in a new VPC."""


@dataclasses.dataclass(frozen=True)
class Registered:
    """One resource as the program asked for it."""

    type: str
    name: str
    inputs: dict[str, Any]
    parent_type: str
    """Empty for a child of the stack."""
    protect: bool
    delete_before_replace: bool
    ignore_changes: tuple[str, ...]
    depends_on: tuple[str, ...]
    """Names of the resources that it waits for."""
    custom: bool
    secret_inputs: frozenset[str]
    input_sources: Mapping[str, tuple[str, ...]]
    """For each input, the names of the resources that it was computed from."""

    @property
    def decoded(self) -> dict[str, Any]:
        """The inputs, JSON texts among them as data: how a document is written is not what it says."""
        return {key: _from_json(value) for key, value in self.inputs.items()}

    def document(self, key: str = "policy") -> list[dict[str, Any]]:
        """The statements of a policy document among the inputs."""
        return json.loads(self.inputs[key])["Statement"]


def _from_json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) and value.startswith(('{"', "[")) else value


class Graph:
    """Every resource and output of one run."""

    def __init__(self, recorder: "_Recorder", warnings: list[str]) -> None:
        self.resources, self.outputs, self.warnings = recorder.registered, recorder.outputs, warnings
        self.component_outputs = recorder.component_outputs
        """The names of the outputs that each component registered, by the component's name and type."""

    def all(self, resource_type: str) -> list[Registered]:
        return [resource for resource in self.resources if resource.type == resource_type]

    def one(self, resource_type: str, name: str | None = None) -> Registered:
        found = [resource for resource in self.all(resource_type) if name in (None, resource.name)]
        assert len(found) == 1, (
            f"{resource_type} {name or ''}: {[resource.name for resource in self.all(resource_type)]}"
        )
        return found[0]

    def names(self, resource_type: str) -> list[str]:
        return sorted(resource.name for resource in self.all(resource_type))


def id_of(name: str) -> str:
    """The id that the mocks give the resource of this name."""
    return f"{name}-id"


def arn_of(name: str) -> str:
    """The ARN that the mocks give the resource of this name."""
    return f"arn:aws:mock:{REGION}:{ACCOUNT}:{name}"


class _Aws(Mocks):
    """What AWS would answer: ids, ARNs and the few attributes that the program hands on."""

    def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
        # awsx' outputs of the same name as an input are resources, not values.
        state = {} if args.typ == "awsx:ec2:Vpc" else dict(args.inputs) | {"arn": arn_of(args.name)}
        computed = table(__file__, "resources") | {"aws:kms/key:Key": {"keyId": f"{args.name}-key-id"}}
        return id_of(args.name), state | computed.get(args.typ, {})

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        asked = args.args
        answers: Mapping[str, Any] = {
            "aws:index/getPartition:getPartition": PARTITION,
            "aws:ec2/getSubnet:getSubnet": {
                "availabilityZone": ZONE_OF.get(str(asked.get("id"))[-1], "ap-northeast-2a"),
                "vpcId": "vpc-other" if str(asked.get("id")).endswith("9") else EXISTING_VPC["vpcId"],
            },
            "aws:ec2/getRouteTables:getRouteTables": {"ids": route_tables(asked)},
            "aws:secretsmanager/getSecret:getSecret": {
                "arn": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:{asked.get('name')}-AbCdEf",
                "kmsKeyId": SECRET_KEYS.get(
                    str(asked.get("name")), f"arn:aws:kms:{REGION}:{ACCOUNT}:key/of-{asked.get('name')}"
                ),
            },
            "aws:kms/getKey:getKey": {
                "arn": str(asked.get("keyId"))
                if ":key/" in str(asked.get("keyId"))
                else f"arn:aws:kms:{REGION}:{ACCOUNT}:key/behind-{asked.get('keyId')}",
                "keyManager": "AWS" if asked.get("keyId") == "alias/aws/secretsmanager" else "CUSTOMER",
            },
        }
        return (table(__file__, "calls") | answers | of_existing_parts(asked))[args.token], []


class _Recorder(MockMonitor):
    """Keeps what a mock doesn't hand on: parents, protection, dependencies and the stack's outputs."""

    def __init__(self) -> None:
        super().__init__(_Aws())
        self.registered: list[Registered] = []
        self.outputs: dict[str, Any] = {}
        self.component_outputs: dict[tuple[str, str], frozenset[str]] = {}

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 the monitor's own name
        if request.type != "pulumi:pulumi:Stack":
            inputs = rpc.deserialize_properties(request.object, keep_unknowns=True)
            secret = frozenset(key for key, value in inputs.items() if rpc.is_rpc_secret(value))
            self.registered.append(
                Registered(
                    type=request.type,
                    name=request.name,
                    inputs={key: rpc.unwrap_rpc_secret(value) for key, value in inputs.items()},
                    parent_type=_type(request.parent),
                    protect=request.protect,
                    delete_before_replace=request.deleteBeforeReplace,
                    ignore_changes=tuple(request.ignoreChanges),
                    depends_on=tuple(sorted(_name(urn) for urn in request.dependencies)),
                    custom=request.custom,
                    secret_inputs=secret,
                    input_sources={
                        key: tuple(sorted(map(_name, found.urns)))
                        for key, found in request.propertyDependencies.items()
                    },
                )
            )
        return super().RegisterResource(request)

    def RegisterResourceOutputs(self, request: Any) -> Any:  # noqa: N802
        if name := _name(request.urn):
            self.component_outputs[name, _type(request.urn)] = frozenset(request.outputs.fields)
        else:
            outputs = rpc.deserialize_properties(request.outputs, keep_unknowns=True)
            self.outputs = {key: rpc.unwrap_rpc_secret(value) for key, value in outputs.items()}
        return super().RegisterResourceOutputs(request)


def _name(urn: str) -> str:
    """The name in an URN; empty for the stack's own and for none."""
    return "" if not urn or urn.split("::")[-2] == "pulumi:pulumi:Stack" else urn.split("::", maxsplit=3)[-1]


def _type(urn: str) -> str:
    """The type in an URN, without those of its parents; empty for the stack's own and for none."""
    return urn.split("::")[-2].rsplit("$", maxsplit=1)[-1] if _name(urn) else ""


def deploy(program: Callable[[], None] | None = None, /, *, stack: str = "prod", **changes: Any) -> Graph:
    """The graph that the program registers for the least settings with `changes`; a change of None leaves a setting out.

    `program` is another one, which creates the component itself.

    Raises:
        pulumi.RunError: as the program does.
    """
    recorder = _Recorder()
    with _warnings() as warnings:
        _run(recorder, program, changes, stack=stack)
    return Graph(recorder, warnings)


def refusal(
    program: Callable[[], None] | None = None,
    /,
    *,
    stack: str = "prod",
    secret_keys: Sequence[str] = (),
    **changes: Any,
) -> tuple[str, list[Registered]]:
    """What the program says of settings or arguments that it refuses, and the resources that it had registered by then.

    `secret_keys` are those of the settings that the stack file holds encrypted.
    """
    recorder = _Recorder()
    try:
        _run(recorder, program, changes, stack=stack, secret_keys=secret_keys)
    except pulumi.RunError as refused:
        return str(refused), recorder.registered
    finally:
        # The registrations that wait for the refused value never end. Python 3.11 fails if they are collected inside `ast.parse`
        # (cpython issue 106905), which pytest calls.
        gc.collect()
    raise AssertionError("accepted")


def _run(recorder: _Recorder, program: Callable[[], None] | None, changes: dict[str, Any], **run: Any) -> None:
    settings = {key: value for key, value in (LOCAL | changes).items() if value is not None}
    deployment = functools.partial(run_program, recorder, region=REGION, settings=settings, **run)
    if program:
        deployment(program=program)
    else:
        deployment()


@contextlib.contextmanager
def _warnings() -> Iterator[list[str]]:
    kept: list[str] = []
    original = pulumi.log.warn
    pulumi.log.warn = lambda message, *_args, **_options: kept.append(re.sub(r"\s+", " ", message))
    try:
        yield kept
    finally:
        pulumi.log.warn = original
