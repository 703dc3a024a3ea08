"""What the pack costs: ``python -m tests.policy.bench [SIZE...]`` prints milliseconds per resource and how they grow.

The time that the pack adds to a preview is measured by ``make bench``, on the engine; this measures the pack and the
SDK's servicer alone, on copies of the recorded production stack.
"""

import re
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2] / "policy"))

from pulumi_policy import EnforcementLevel, Policy, ResourceValidationPolicy, StackValidationPolicy
from pulumi_policy.policy import _PolicyAnalyzerServicer

from analysis import parsed
from baseline import with_baseline
from evaluation.evaluation_log import EVALUATION_LOG
from evaluation.garbage_collector import tune_garbage_collector
from policies.catalogue import PACK_NAME, policies
from tests.policy.recording import recorded
from tests.policy.servicer import Planned, analyze_request, configuration_request, stack_request

SIZES = (1_000, 10_000, 50_000)
PROVIDER = {"region": "ap-northeast-2", "skipCredentialsValidation": "true", "skipMetadataApiCheck": "true"}
"""The provider of each resource, which the SDK hands to every policy as well."""


def main() -> None:
    """Print the figures."""
    tune_garbage_collector()
    stack = recorded("preview")
    sizes = [int(size) for size in sys.argv[1:]] or SIZES
    print(
        "resources   Analyze ms each   AnalyzeStack ms each   own cost ms each   with a baseline (all)   peak MiB   SDK alone MiB"
    )
    for size in sizes:
        whole = stack_request(_grown(stack.outputs, size))
        inputs = _grown(stack.inputs, size)
        idle = _measure(_idle_policies(), inputs, whole)
        plain = _measure(policies(), inputs, whole)
        exempt = _measure(policies(), inputs, whole, _baseline(inputs, whole))
        ratio = (plain.sdk + exempt.own) / (plain.sdk + plain.own)
        print(
            f"{size:9}   {plain.each / size:15.3f}   {plain.together / size:20.3f}   {plain.own / size:16.3f}"
            f"   {exempt.own / size:12.3f} ({ratio:4.2f} x)   {max(plain.peak, exempt.peak):8.0f}   {idle.peak:13.0f}"
        )


@dataclass(frozen=True)
class _Measured:
    """Milliseconds for all resources: one by one, for the stack as a whole, and in the pack itself; the peak in MiB."""

    each: float
    together: float
    own: float
    peak: float

    @property
    def sdk(self) -> float:
        return self.each + self.together - self.own


def _servicer(pack: list[Policy]) -> _PolicyAnalyzerServicer:
    EVALUATION_LOG.drain()
    return _PolicyAnalyzerServicer(PACK_NAME, "1.0.0", pack, EnforcementLevel.ADVISORY)


def _baseline(inputs: Iterable[Planned], whole: Any) -> dict[str, Any]:
    """The configuration that exempts every finding, as `make policy-baseline` writes it."""
    servicer = _servicer(policies())
    responses = [(each.identity, servicer.Analyze(analyze_request(each), None)) for each in inputs]
    responses.append(("", servicer.AnalyzeStack(whole, None)))
    found = [
        parsed(each.policyName, "", "", each.urn or urn, each.message)
        for urn, response in responses
        for each in response.diagnostics
    ]
    today = datetime.now(UTC).date()
    return with_baseline({}, found, today, today + timedelta(days=90))


def _measure(
    pack: list[Policy], inputs: Iterable[Planned], whole: Any, configuration: dict[str, Any] | None = None
) -> _Measured:
    """Measure a pack. As from the engine, the messages of single resources come one at a time."""
    own = [0.0]
    for policy in pack:
        if isinstance(policy, ResourceValidationPolicy | StackValidationPolicy):
            _time(policy, own)
    servicer = _servicer(pack)
    if configuration is not None:
        servicer.Configure(configuration_request(configuration), None)
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # resets the peak
    requests = map(analyze_request, inputs)
    each = sum(_milliseconds(lambda request=request: servicer.Analyze(request, None)) for request in requests)
    together = _milliseconds(lambda: servicer.AnalyzeStack(whole, None))
    peak = re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    return _Measured(each, together, own[0], int(peak[1]) / 1024 if peak else 0.0)


def _time(policy: ResourceValidationPolicy | StackValidationPolicy, spent: list[float]) -> None:
    """Add up what a policy takes: the difference to the SDK's servicer alone varies by more than that.

    It contains the release of the SDK's copy of the stack, which the SDK would do after the policy.
    """
    check = policy.validate

    def timed(args: Any, report_violation: Any) -> None:
        spent[0] += _milliseconds(lambda: check(args, report_violation))

    policy.validate = timed


def _milliseconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return (time.process_time() - started) * 1000


def _idle_policies() -> list[Policy]:
    """As many policies of each kind as the pack has, which look at nothing."""
    return [
        StackValidationPolicy(policy.name, "idle", validate=lambda _args, _report: None)
        if isinstance(policy, StackValidationPolicy)
        else ResourceValidationPolicy(policy.name, "idle", validate=lambda _args, _report: None)
        for policy in policies()
    ]


def _grown(resources: Sequence[Planned], size: int) -> list[Planned]:
    """So many resources: copies of the stack, each with its own URNs, names and references."""
    return list(islice((_copy(resource, number) for number in count() for resource in resources), size))


def _copy(resource: Planned, number: int) -> Planned:
    return replace(
        resource,
        provider=PROVIDER,
        name=f"{resource.name}-{number}",
        urn=f"{resource.urn}-{number}",
        dependencies={name: [f"{urn}-{number}" for urn in urns] for name, urns in resource.dependencies.items()},
    )


if __name__ == "__main__":
    main()
