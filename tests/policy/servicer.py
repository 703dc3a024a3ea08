"""Runs the pack's policies through the SDK's own servicer, with the protobuf messages that the engine sends.

The servicer is private to the SDK, and used on purpose: the proxies, the handling of unknown values and the unwrapping
of secrets that a rule meets are made there, and a test with plain dictionaries would not meet them.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from google.protobuf import struct_pb2
from pulumi.runtime import proto
from pulumi_policy import EnforcementLevel
from pulumi_policy.deserialize import SPECIAL_SECRET_SIG, SPECIAL_SIG_KEY
from pulumi_policy.policy import _PolicyAnalyzerServicer
from pulumi_policy.proxy import UNKNOWN_STRING_VALUE

from evaluation.evaluation_log import EVALUATION_LOG
from policies.catalogue import PACK_NAME, RULES, policies

UNKNOWN = UNKNOWN_STRING_VALUE
"""How the engine marks a value that is not known yet."""


def secret(value: Any) -> dict[str, Any]:
    """A value as the engine marks it when it is a secret."""
    return {SPECIAL_SIG_KEY: SPECIAL_SECRET_SIG, "value": value}


@dataclass(frozen=True)
class Planned:
    """A resource as the engine would send it.

    type: the whole token. dependencies: for a top-level property, the names (or URNs) of the resources that it was computed from.
    """

    type: str
    name: str
    properties: Mapping[str, Any]
    dependencies: Mapping[str, Sequence[str]] = field(default_factory=dict)
    protect: bool = False
    urn: str = ""
    provider: Mapping[str, Any] = field(default_factory=dict)
    """The inputs of its provider."""

    @property
    def identity(self) -> str:
        """The URN: the given one, or one made of type and name."""
        return self.urn or f"urn:pulumi:test::project::{self.type}::{self.name}"


@dataclass(frozen=True)
class Finding:
    """One diagnostic of the pack; ``level`` is ``mandatory`` or ``advisory``."""

    policy: str
    level: str
    urn: str
    message: str

    @property
    def name(self) -> str:
        """The name of the resource that it is about."""
        return self.urn.rpartition("::")[2]

    @property
    def check(self) -> str:
        """The name of the check, as it stands in the message."""
        return self.message.partition("\n")[2].partition(" (")[2].partition("):")[0]


class Pack:
    """The whole pack, configured. ``configuration`` maps a policy to its keys, as a configuration file does."""

    def __init__(self, configuration: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        EVALUATION_LOG.drain()
        self.servicer = _PolicyAnalyzerServicer(PACK_NAME, "1.0.0", policies(), EnforcementLevel.ADVISORY)
        self.servicer.Configure(configuration_request(configuration or {}), None)

    def analyze(self, resource: Planned) -> list[Finding]:
        """What the resource policies say about one resource."""
        return _findings(self.servicer.Analyze(analyze_request(resource), None), resource.identity)

    def analyze_stack(self, resources: Iterable[Planned]) -> list[Finding]:
        """What the stack policies say about a stack."""
        return _findings(self.servicer.AnalyzeStack(stack_request(list(resources)), None), "")

    def review(self, *resources: Planned) -> list[Finding]:
        """What the pack says about a stack: each resource on its own, as it comes, and then all together."""
        found = [finding for resource in resources for finding in self.analyze(resource)]
        return found + self.analyze_stack(resources)

    def info(self) -> Any:
        """The metadata that the engine asks for."""
        return self.servicer.GetAnalyzerInfo(None, None)


def configuration_request(configuration: Mapping[str, Mapping[str, Any]]) -> Any:
    """The message that configures the pack; a policy without an entry has its defaults."""
    request = proto.ConfigureAnalyzerRequest()
    for rule in RULES:
        given = dict(configuration.get(rule.name, {}))
        level = given.pop("enforcementLevel", rule.level)
        entry = request.policyConfig[rule.name]
        entry.enforcementLevel = getattr(proto, level.upper())
        defaults = {name: schema["default"] for name, schema in rule.schema().items()}
        entry.properties.update({**defaults, **given})
    return request


def properties_message(properties: Mapping[str, Any]) -> struct_pb2.Struct:
    """Properties as the engine sends them."""
    message = struct_pb2.Struct()
    message.update(dict(properties))
    return message


def analyze_request(resource: Planned) -> Any:
    """The message for one resource."""
    return proto.AnalyzeRequest(**_described(resource))


def _described(resource: Planned) -> dict[str, Any]:
    """What both messages have of a resource."""
    return {
        "type": resource.type,
        "urn": resource.identity,
        "name": resource.name,
        "properties": properties_message(resource.properties),
        "options": proto.AnalyzerResourceOptions(protect=resource.protect),
        "provider": _provider(resource),
    }


def _provider(resource: Planned) -> Any:
    if not resource.provider:
        return None
    name = "default"
    token = f"pulumi:providers:{resource.type.partition(':')[0]}"
    return proto.AnalyzerProviderResource(
        type=token,
        urn=f"urn:pulumi:test::project::{token}::{name}",
        name=name,
        properties=properties_message(resource.provider),
    )


def stack_request(resources: Sequence[Planned]) -> Any:
    """The message for a stack."""
    by_name = {resource.name: resource.identity for resource in resources}
    return proto.AnalyzeStackRequest(resources=[_stack_resource(resource, by_name) for resource in resources])


def _stack_resource(resource: Planned, by_name: Mapping[str, str]) -> Any:
    message = proto.AnalyzerResource(**_described(resource))
    for name, targets in resource.dependencies.items():
        urns = [by_name.get(target, target) for target in targets]
        message.propertyDependencies[name].urns.extend(urns)
        message.dependencies.extend(urns)
    return message


def _findings(response: Any, urn: str) -> list[Finding]:
    return [
        Finding(
            diagnostic.policyName,
            proto.EnforcementLevel.Name(diagnostic.enforcementLevel).lower(),
            diagnostic.urn or urn,
            diagnostic.message,
        )
        for diagnostic in response.diagnostics
    ]
