"""DriftMetrics: what drift detection found, as metrics of the agent's log.

The agent writes one JSON object a line. Only its container writes to its log group, so no plan can print a result.
"""

import dataclasses

import pulumi
import pulumi_aws as aws

from ..context import Context

RUN, PROJECT, AGE = "drift-run", "drift-project", "drift-age"
"""The events of the agent's log (docker/isolation/isolation/drift/run.py)."""
DRIFTED, FAILED, GOOD_RUNS = "DriftedProjects", "FailedProjects", "GoodRuns"
_OF_RUN = {DRIFTED: "drifted", FAILED: "failed", GOOD_RUNS: "good"}
HOURS_SINCE_GOOD_RUN, HOURS_SINCE_GOOD_PLAN = "HoursSinceGoodRun", "HoursSinceGoodPlan"
"""The age of the last run without failures, every ten minutes; and by project, at each run, that of the last plan that worked."""
_OF_PROJECT = {"Drifted": "drifted", "Failed": "failed", HOURS_SINCE_GOOD_PLAN: "hours"}
_PROJECT_DIMENSIONS = {"Repository": "$.repository", "Branch": "$.branch", "Project": "$.project"}


@dataclasses.dataclass(kw_only=True)
class DriftMetricsInputs:
    """The log to read."""

    context: Context
    log_group_name: pulumi.Input[str]


class DriftMetrics(pulumi.ComponentResource):
    """A metric for each figure of a run, one for the age of the last good one, and three for each project."""

    def __init__(self, name: str, args: DriftMetricsInputs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("atlantis:index:DriftMetrics", name, None, opts)
        self._args = args
        for metric, field in _OF_RUN.items():
            self._filter(metric, RUN, field, {})
        self._filter(HOURS_SINCE_GOOD_RUN, AGE, "hours", {})
        for metric, field in _OF_PROJECT.items():
            self._filter(metric, PROJECT, field, _PROJECT_DIMENSIONS)
        self.register_outputs({})

    def _filter(self, metric: str, event: str, field: str, dimensions: dict[str, str]) -> None:
        names = self._args.context.names
        aws.cloudwatch.LogMetricFilter(
            f"{self.pulumi_resource_name}-{metric}",
            name=metric,
            log_group_name=self._args.log_group_name,
            pattern=f'{{ $.event = "{event}" }}',
            metric_transformation=aws.cloudwatch.LogMetricFilterMetricTransformationArgs(
                name=metric,
                namespace=namespace(names.base),
                value=f"$.{field}",
                dimensions=dimensions or None,
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )


def by_project(base: str, metric: str) -> str:
    """A search expression of CloudWatch for a metric of all projects."""
    dimensions = ",".join(_PROJECT_DIMENSIONS)
    return f"SEARCH('{{\"{namespace(base)}\",{dimensions}}} MetricName=\"{metric}\"', 'Maximum', 3600)"


def namespace(base: str) -> str:
    """The metrics' namespace: one for each Atlantis of the account and region."""
    return f"Atlantis/{base}"
