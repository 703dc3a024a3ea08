"""What a verdict is: a stack, a check, and whether the check must report it. Each fault stands beside its innocent twin."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tests.policy.servicer import Pack, Planned

__all__ = ["ACCOUNT", "Verdict", "allow", "both", "clean", "deny", "document", "fault", "one"]

ACCOUNT: Final = "123456789012"


@dataclass(frozen=True)
class Verdict:
    """One row. label: what is special about the stack. found: whether the check must report it, on whichever resource."""

    label: str
    policy: str
    check: str
    found: bool
    resources: tuple[Planned, ...]
    configuration: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """How pytest names it."""
        return f"{self.policy}-{self.check}-{'fault' if self.found else 'clean'}-{self.label}".replace(" ", "-")

    def reported(self) -> list[str]:
        """The messages of the check."""
        found = Pack({self.policy: self.configuration}).review(*self.resources)
        return [each.message for each in found if (each.policy, each.check) == (self.policy, self.check)]


def fault(policy: str, check: str, label: str, *resources: Planned, **configuration: Any) -> Verdict:
    """A stack that the check must report."""
    return Verdict(label, policy, check, True, resources, configuration)


def clean(policy: str, check: str, label: str, *resources: Planned, **configuration: Any) -> Verdict:
    """A stack that the check must not report."""
    return Verdict(label, policy, check, False, resources, configuration)


def both(
    policy: str, check: str, label: str, bad: Planned, good: Planned, **configuration: Any
) -> tuple[Verdict, Verdict]:
    """A resource with the fault, and its innocent twin."""
    return fault(policy, check, label, bad, **configuration), clean(policy, check, label, good, **configuration)


def one(canonical: str, name: str = "it", /, **properties: Any) -> Planned:
    """A resource by the rules' name of its type, with nothing but these properties."""
    kind = canonical.rpartition("/")[2]
    return Planned(f"aws:{canonical}:{kind[0].upper()}{kind[1:]}", name, properties)


def _statement(effect: str, given: Mapping[str, Any]) -> dict[str, Any]:
    return {"Effect": effect, "Action": "*", "Resource": "*", **given}


def allow(**statement: Any) -> dict[str, Any]:
    """An Allow."""
    return _statement("Allow", statement)


def deny(**statement: Any) -> dict[str, Any]:
    """A Deny."""
    return _statement("Deny", statement)


def document(*statements: Mapping[str, Any]) -> str:
    """A policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
