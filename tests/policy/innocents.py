"""What an innocent stack is: one on which no mandatory policy may speak, as its author wrote it and as AWS reports it."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from policies.catalogue import RULES
from tests.policy.servicer import UNKNOWN, Finding, Pack, Planned
from tests.policy.verdicts import deny, document, one

__all__ = ["ACCOUNT", "CHECKS", "KEY", "MANDATORY", "TLS_ONLY", "Innocent", "clean", "created", "known"]

ACCOUNT: Final = "123456789012"
KEY: Final = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
MANDATORY: Final = frozenset(rule.name for rule in RULES if rule.level == "mandatory")
CHECKS: Final = frozenset((rule.name, check) for rule in RULES if rule.level == "mandatory" for check in rule.checks)
TLS_ONLY: Final = document(deny(Principal="*", Condition={"Bool": {"aws:SecureTransport": "false"}}))


@dataclass(frozen=True)
class Innocent:
    """A stack without a fault. near: the checks of the mandatory policies whose faults it resembles.

    reported: for each resource's name, what AWS reports beside the author's inputs. planned: in the preview, these properties
    are unknown, because AWS chooses them.
    """

    label: str
    near: tuple[tuple[str, str], ...]
    resources: tuple[Planned, ...]
    reported: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    configuration: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def alarms(self) -> list[Finding]:
        """What mandatory policies say of the preview that creates it, and of the deployed stack."""
        planned = [replace(each, properties={**self._unknown(each), **each.properties}) for each in self.resources]
        deployed = [replace(each, properties={**each.properties, **self._outputs(each)}) for each in self.resources]
        found: list[Finding] = []
        for outputs in (planned, deployed):
            pack = Pack(self.configuration)
            for each in self.resources:
                found += pack.analyze(each)
            found += pack.analyze_stack(outputs)
        return [each for each in found if each.policy in MANDATORY]

    def _outputs(self, resource: Planned) -> Mapping[str, Any]:
        return self.reported.get(resource.name, {})

    def _unknown(self, resource: Planned) -> Mapping[str, Any]:
        return dict.fromkeys(self._outputs(resource), UNKNOWN)


def clean(
    near: str, label: str, *resources: Planned, reported: Mapping[str, Mapping[str, Any]] | None = None, **given: Any
) -> Innocent:
    """An innocent stack. near: checks as ``policy/check``, separated by spaces; given: configurations, ``_`` for ``-``."""
    pairs = tuple((each.partition("/")[0], each.partition("/")[2]) for each in near.split())
    configuration = {name.replace("_", "-"): value for name, value in given.items()}
    return Innocent(label, pairs, resources, reported or {}, configuration)


def created(canonical: str, name: str = "it", /, **properties: Any) -> Planned:
    """A resource by the policies' name of its type."""
    return one(canonical, name, **properties)


def known(resource: Planned, **dependencies: tuple[str, ...]) -> Planned:
    """The resource, with the dependencies of its properties."""
    return replace(resource, dependencies=dependencies)
