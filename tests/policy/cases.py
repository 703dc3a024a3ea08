"""What a case of a check is, and the six ways in which each is tried."""

import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any, Final, Literal

from tests.policy.servicer import UNKNOWN, Finding, Pack, Planned, secret

Outcome = Literal["violation", "undecided", "nothing"]
ABSENT: Final = object()
"""In place of a value: the property is not there."""
WRONG_TYPE: Final = {"unexpected": [1.5, None]}
NOT_JSON: Final = '{"Statement": ['


@dataclass(frozen=True)
class Case:
    """One check on one property of one resource.

    resources: a stack in which the check finds nothing. path: the property of the resource ``target`` that is changed, as
    ``rules[0].name``. bad: a value that the check must report. absent, unknown, malformed: what the check says of those;
    absent is None where the property is absent in the good stack already.
    """

    policy: str
    check: str
    resources: tuple[Planned, ...]
    path: str
    bad: Any
    target: str = ""
    absent: Outcome | None = "violation"
    unknown: Outcome = "undecided"
    malformed: Outcome = "violation"
    malformed_value: Any = field(default_factory=lambda: WRONG_TYPE)
    configuration: Mapping[str, Any] = field(default_factory=dict)
    reported: str = ""
    """The resource that the finding is about, where that is not the one that is changed."""

    @property
    def label(self) -> str:
        """How pytest names it."""
        resource = next(each for each in self.resources if each.name == self.changed)
        return f"{self.policy}-{self.check}-{resource.type.rpartition(':')[2]}-{self.path}"

    @property
    def changed(self) -> str:
        """The name of the resource that is changed; the first one where none is named."""
        return self.target or self.resources[0].name

    def variants(self) -> Iterator[tuple[str, tuple[Planned, ...], Outcome]]:
        """Each way to try the check: its name, the stack, and what the check must say."""
        yield "as it should be", self.resources, "nothing"
        yield "broken", self._with(self.bad), "violation"
        yield "broken and secret", self._with(secret(self.bad)), "violation"
        if self.absent is not None:
            yield "absent", self._with(ABSENT), self.absent
        yield "unknown", self._with(UNKNOWN), self.unknown
        yield "malformed", self._with(self.malformed_value), self.malformed

    def outcome(self, resources: tuple[Planned, ...]) -> tuple[Outcome, list[Finding]]:
        """What the check says of a stack, and the findings of its policy on the resource."""
        found = Pack({self.policy: self.configuration}).review(*resources)
        own = [each for each in found if each.policy == self.policy and each.check == self.check]
        own = [each for each in own if each.name == (self.reported or self.changed)]
        if own:
            return "violation", own
        undecided = [each for each in found if each.policy == "evaluation-report" and f"({self.check})" in each.message]
        return ("undecided" if undecided else "nothing"), found

    def _with(self, value: Any) -> tuple[Planned, ...]:
        return changed(self.resources, self.changed, self.path, value)


def changed(resources: tuple[Planned, ...], name: str, path: str, value: Any) -> tuple[Planned, ...]:
    """The resources with one property of one of them changed, or removed (``ABSENT``)."""
    return tuple(
        replace(each, properties=with_value(each.properties, path, value)) if each.name == name else each
        for each in resources
    )


def with_value(properties: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A deep copy of properties with the value at a path changed; steps on the way that are missing are made."""
    result = copy.deepcopy(dict(properties))
    steps = [int(step) if step.isdigit() else step for step in re.findall(r"[^.\[\]]+", path)]
    container: Any = result
    for step, following in pairwise(steps):
        if isinstance(container, dict) and step not in container:
            container[step] = [] if isinstance(following, int) else {}
        container = container[step]
    if value is ABSENT:
        del container[steps[-1]]
    elif isinstance(container, list) and steps[-1] == len(container):
        container.append(value)
    else:
        container[steps[-1]] = value
    return result
