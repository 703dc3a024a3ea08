"""Metrics of the agent's log: what drift detection found, and what the workers do.

The agent writes one JSON object a line. Only its container writes to its log group, so no plan can print a result.
"""

from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from ..compute.service import BUSY_PERCENT, WORKERS
from ..context import Context
from ..names import PhysicalNames

RUN, PROJECT, AGE = "drift-run", "drift-project", "drift-age"
"""The events of the agent's log (docker/isolation/isolation/drift/run.py)."""
DRIFTED, FAILED, GOOD_RUNS = "DriftedProjects", "FailedProjects", "GoodRuns"
_OF_RUN = {DRIFTED: "drifted", FAILED: "failed", GOOD_RUNS: "good"}
HOURS_SINCE_GOOD_RUN, HOURS_SINCE_GOOD_PLAN = "HoursSinceGoodRun", "HoursSinceGoodPlan"
"""The age of the last run without failures, every ten minutes; and by project, at each run, that of the last plan that worked."""
_OF_PROJECT = {"Drifted": "drifted", "Failed": "failed", HOURS_SINCE_GOOD_PLAN: "hours"}
_PROJECT_DIMENSIONS = {"Repository": "$.repository", "Branch": "$.branch", "Project": "$.project"}

HEALTHY, PLACES, BUSY, WAITING = "HealthyWorkers", "Places", "BusyPlaces", "WaitingCommands"
LONGEST_WAIT, ENDED = "LongestWaitSeconds", "EndedWorkers"
_OF_WORKERS = {
    HEALTHY: "healthy",
    PLACES: "slots",
    BUSY: "busy",
    BUSY_PERCENT: "busy_percent",
    WAITING: "waiting",
    LONGEST_WAIT: "longest_wait_seconds",
    ENDED: "ended",
}
"""The fields of the lines that the agent writes every minute and at each change, by metric."""


class _LogMetrics(pulumi.ComponentResource):
    """Metric filters of a log group."""

    def __init__(
        self, name: str, context: Context, log_group: pulumi.Input[str], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(f"atlantis:index:{type(self).__name__}", name, None, opts)
        self._context, self._log_group = context, log_group
        self._metrics()
        self.register_outputs({})

    def _metrics(self) -> None:
        raise NotImplementedError

    def _filters(self, pattern: str, fields: Mapping[str, str], dimensions: dict[str, str]) -> None:
        """A filter for each metric, with the field that has its value."""
        for metric, field in fields.items():
            aws.cloudwatch.LogMetricFilter(
                f"{self.pulumi_resource_name}-{metric}",
                name=metric,
                log_group_name=self._log_group,
                pattern=pattern,
                metric_transformation=aws.cloudwatch.LogMetricFilterMetricTransformationArgs(
                    name=metric,
                    namespace=self._context.names.metrics,
                    value=f"$.{field}",
                    dimensions=dimensions or None,
                ),
                opts=pulumi.ResourceOptions(parent=self),
            )


class DriftMetrics(_LogMetrics):
    """A metric for each figure of a run, one for the age of the last good one, and three for each project."""

    def _metrics(self) -> None:
        self._filters(_event(RUN), _OF_RUN, {})
        self._filters(_event(AGE), {HOURS_SINCE_GOOD_RUN: "hours"}, {})
        self._filters(_event(PROJECT), _OF_PROJECT, _PROJECT_DIMENSIONS)


class WorkerMetrics(_LogMetrics):
    """A metric for each figure of the workers, by kind."""

    def _metrics(self) -> None:
        self._filters('{ $.workers = "*" }', _OF_WORKERS, {WORKERS: "$.workers"})


def _event(name: str) -> str:
    return f'{{ $.event = "{name}" }}'


def by_project(names: PhysicalNames, metric: str) -> str:
    """A search expression of CloudWatch for a metric of all projects."""
    dimensions = ",".join(_PROJECT_DIMENSIONS)
    return f"SEARCH('{{\"{names.metrics}\",{dimensions}}} MetricName=\"{metric}\"', 'Maximum', 3600)"
