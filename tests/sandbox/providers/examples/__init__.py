"""For every type in the table: inputs, a change in place, and a change that must replace."""

from __future__ import annotations

from collections.abc import Mapping

from tests.sandbox.providers.examples import monitoring, network, service, storage
from tests.sandbox.providers.examples.example import ROOT, Example, World, policy, trust

__all__ = ["EXAMPLES", "ROOT", "Example", "World", "policy", "trust"]

EXAMPLES: Mapping[str, Example] = {**network.EXAMPLES, **storage.EXAMPLES, **service.EXAMPLES, **monitoring.EXAMPLES}
