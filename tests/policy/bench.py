"""What the pack costs: ``python -m tests.policy.bench [SIZE...]`` prints milliseconds per resource and how they grow.

The time that the pack adds to a preview is measured by ``make bench``, on the engine; this measures the pack and the
SDK's servicer alone, on copies of the recorded production stack.
"""

import re
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from math import inf
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
_REPEATS = 3
PROVIDER = {"region": "ap-northeast-2", "skipCredentialsValidation": "true", "skipMetadataApiCheck": "true"}
"""The provider of each resource, which the SDK hands to every policy as well."""


def main() -> None:
    """Print the figures."""
    tune_garbage_collector()
    stack = recorded("preview")
    sizes = [int(size) for size in sys.argv[1:]] or SIZES
    print(
        "resources   Analyze ms each   AnalyzeStack ms each   SDK alone ms each   own cost ms each   with a baseline (all)"
        "   peak MiB   SDK alone MiB"
    )
    for size in sizes:
        whole = stack_request(_grown(stack.outputs, size))
        inputs = _grown(stack.inputs, size)
        *idle, least = _measure(_servicer(_idle_policies()), inputs, whole)
        each, together, peak = _measure(_servicer(policies()), inputs, whole)
        exempt = _servicer(policies())
        exempt.Configure(configuration_request(_baseline(exempt, inputs, whole)), None)
        *exempted, peak_exempted = _measure(exempt, inputs, whole)
        floor = sum(idle)
        alone, own_exempted = each + together, sum(exempted) - floor
        print(
            f"{size:9}   {each / size:15.3f}   {together / size:20.3f}   {floor / size:17.3f}   {(alone - floor) / size:16.3f}"
            f"   {own_exempted / size:12.3f} ({sum(exempted) / alone:4.2f} x)   {max(peak, peak_exempted):8.0f}   {least:13.0f}"
        )


def _servicer(pack: list[Policy]) -> _PolicyAnalyzerServicer:
    EVALUATION_LOG.drain()
    return _PolicyAnalyzerServicer(PACK_NAME, "1.0.0", pack, EnforcementLevel.ADVISORY)


def _baseline(servicer: _PolicyAnalyzerServicer, inputs: Iterable[Planned], whole: Any) -> dict[str, Any]:
    """The configuration that exempts every finding, as `make policy-baseline` writes it."""
    responses = [(each.identity, servicer.Analyze(analyze_request(each), None)) for each in inputs]
    responses.append(("", servicer.AnalyzeStack(whole, None)))
    found = [
        parsed(each.policyName, "", "", each.urn or urn, each.message)
        for urn, response in responses
        for each in response.diagnostics
    ]
    today = datetime.now(UTC).date()
    return with_baseline({}, found, today, today + timedelta(days=90))


def _measure(servicer: _PolicyAnalyzerServicer, inputs: Iterable[Planned], whole: Any) -> tuple[float, float, float]:
    """Milliseconds for all resources one by one, and for the stack as a whole, and the peak of the process in MiB.

    As from the engine, the messages of single resources come one at a time. The times are the shortest of several
    repetitions: the pack's part is a small difference of two large ones.
    """
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # resets the peak
    each = together = inf
    for _ in range(_REPEATS):
        requests = map(analyze_request, inputs)
        each = min(
            each, sum(_milliseconds(lambda request=request: servicer.Analyze(request, None)) for request in requests)
        )
        together = min(together, _milliseconds(lambda: servicer.AnalyzeStack(whole, None)))
    peak = re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    return each, together, int(peak[1]) / 1024 if peak else 0.0


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
