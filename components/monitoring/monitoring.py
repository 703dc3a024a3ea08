"""The dashboard, the alarms and the log archive of one Atlantis."""

from collections.abc import Callable

import pulumi

from ..logs.log_archive import LogArchive
from .alarms import Alarms, Observed
from .dashboard import Dashboard
from .log_metrics import DriftMetrics, WorkerMetrics


def observe(args: Observed, named: Callable[[str], str], options: Callable[[], pulumi.ResourceOptions]) -> None:
    """Registers the dashboard and, if the settings enable them, the log archive and the alarms.

    `named` returns a component's logical name, `options` its resource options.
    """
    context, compute, settings = args.context, args.compute, args.context.settings
    if settings.operations.log_archive_days:
        LogArchive(
            named("log-archive"),
            context,
            log_group_name=compute.log_group_name,
            key_arn=compute.log_key_arn,
            opts=options(),
        )
    Dashboard(named("dashboard"), args, options())
    if compute.agent_log_group_name is not None:
        if settings.drift.enabled:
            DriftMetrics(named("drift"), context, compute.agent_log_group_name, options())
        WorkerMetrics(named("workers"), context, compute.agent_log_group_name, options())
    if settings.operations.alarm_topic_arns and settings.task.desired_count:
        Alarms(named("alarms"), args, options())
