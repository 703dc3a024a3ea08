"""What the pack costs: ``python -m tests.policy.bench [SIZE...]`` prints milliseconds per resource and how they grow.

The time that the pack adds to a preview is measured by ``make bench``, on the engine; this measures the pack and the
SDK's servicer alone, on copies of the recorded production stack.
"""

import resource
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
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
        "resources   Analyze ms each   AnalyzeStack ms each   whole pack ms each   with its own baseline   SDK alone ms each   peak MiB"
    )
    for size in sizes:
        inputs, outputs = _grown(stack.inputs, size), _grown(stack.outputs, size)
        requests = [analyze_request(each) for each in inputs]
        whole = stack_request(outputs)
        each, together = _measure(_servicer(policies()), requests, whole)
        exempt = _servicer(policies())
        exempt.Configure(configuration_request(_baseline(exempt, requests, whole)), None)
        exempted = sum(_measure(exempt, requests, whole))
        floor = sum(_measure(_servicer(_idle_policies()), requests, whole))
        alone = each + together
        print(
            f"{size:9}   {each / size:15.2f}   {together / size:20.2f}   {alone / size:18.2f}"
            f"   {exempted / size:12.2f} ({exempted / alone:4.2f} x)   {floor / size:17.2f}"
            f"   {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:8.0f}"
        )


def _servicer(pack: list[Policy]) -> _PolicyAnalyzerServicer:
    EVALUATION_LOG.drain()
    return _PolicyAnalyzerServicer(PACK_NAME, "1.0.0", pack, EnforcementLevel.ADVISORY)


def _baseline(servicer: _PolicyAnalyzerServicer, requests: Sequence[Any], whole: Any) -> dict[str, Any]:
    """The configuration that exempts every finding, as `make policy-baseline` writes it."""
    responses = [(request.urn, servicer.Analyze(request, None)) for request in requests]
    responses.append(("", servicer.AnalyzeStack(whole, None)))
    found = [
        parsed(each.policyName, "", "", each.urn or urn, each.message)
        for urn, response in responses
        for each in response.diagnostics
    ]
    today = datetime.now(UTC).date()
    return with_baseline({}, found, today, today + timedelta(days=90))


def _measure(servicer: _PolicyAnalyzerServicer, requests: Sequence[Any], whole: Any) -> tuple[float, float]:
    """Milliseconds for all resources one by one, and for the stack as a whole."""
    return (
        _milliseconds(lambda: [servicer.Analyze(request, None) for request in requests]),
        _milliseconds(lambda: servicer.AnalyzeStack(whole, None)),
    )


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
