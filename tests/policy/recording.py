"""The recorded stacks, as messages can be made of them again."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evaluation.evaluation_log import EVALUATION_LOG
from tests.policy.servicer import Finding, Pack, Planned

_ROOT = Path(__file__).parents[2]
CONFIGURATION: dict[str, Any] = {
    name: value if isinstance(value, dict) else {"enforcementLevel": value}
    for name, value in json.loads((_ROOT / "policy" / "config" / "prod.json").read_text(encoding="utf-8")).items()
}
"""The pack's configuration for the production stack."""


@dataclass(frozen=True)
class Recording:
    """A stack as the engine handed it over: each resource's inputs and its outputs, in the same order."""

    inputs: tuple[Planned, ...]
    outputs: tuple[Planned, ...]

    def review(self, configuration: Mapping[str, Any], touched: str = "") -> list[Finding]:
        """What the pack says of it, as in a preview.

        With ``touched``, of all rules that look at resources one by one only what they say of the resource with that name.
        """
        pack = Pack(configuration)
        for each in self.inputs:
            EVALUATION_LOG.note_inputs(each.identity, each.properties)
        judged = [each for each in self.inputs if touched in ("", each.name)]
        found = [finding for resource in judged for finding in pack.analyze(resource)]
        return found + pack.analyze_stack(self.outputs)

    def named(self, name: str) -> Planned:
        """The inputs of the one resource with this name that is not a component."""
        (found,) = [each for each in self.inputs if each.name == name and each.type.startswith("aws:")]
        return found

    def changed(self, name: str, change: Callable[[Planned], Planned]) -> "Recording":
        """With one resource changed, in its inputs and in its outputs."""
        urn = self.named(name).identity
        return Recording(
            *(
                tuple(change(each) if each.identity == urn else each for each in view)
                for view in (self.inputs, self.outputs)
            )
        )

    def without(self, name: str) -> "Recording":
        """Without one resource."""
        urn = self.named(name).identity
        return Recording(
            *(tuple(each for each in view if each.identity != urn) for view in (self.inputs, self.outputs))
        )

    def with_added(self, resource: Planned) -> "Recording":
        """With one more resource."""
        return Recording((*self.inputs, resource), (*self.outputs, resource))


def recorded(name: str) -> Recording:
    """A recording by name: ``first_preview`` or ``preview``."""
    resources = json.loads((Path(__file__).parent / "recorded" / f"{name}.json").read_text(encoding="utf-8"))
    return Recording(
        *(
            tuple(
                Planned(each["type"], each["name"], each[view], each["dependencies"], each["protect"], each["urn"])
                for each in resources
            )
            for view in ("inputs", "outputs")
        )
    )
