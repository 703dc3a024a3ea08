"""The dashboard, the alarms and the log archive of one Atlantis."""

import dataclasses
from collections.abc import Callable

import pulumi

from ..compute.compute import Compute
from ..context import Context
from ..ingress.ingress import Ingress
from ..logs.log_archive import LogArchive, LogArchiveInputs
from ..storage.locking import Locking
from ..storage.storage import Storage
from .alarms import Alarms, AlarmsInputs
from .dashboard import Dashboard, DashboardInputs
from .log_metrics import DriftMetrics, WorkerMetrics
from .service_metrics import MetricDimensions, TargetDimensions


@dataclasses.dataclass(kw_only=True)
class ObservationInputs:
    """The parts of one Atlantis that are observed."""

    context: Context
    ingress: Ingress | None
    compute: Compute
    storage: Storage
    locking: Locking | None


def observe(
    args: ObservationInputs, named: Callable[[str], str], options: Callable[[], pulumi.ResourceOptions]
) -> None:
    """Registers the dashboard and, if the settings enable them, the log archive and the alarms.

    `named` returns a component's logical name, `options` its resource options.
    """
    ingress, compute, settings = args.ingress, args.compute, args.context.settings
    dimensions = MetricDimensions(
        target=ingress
        and TargetDimensions(
            load_balancer=ingress.load_balancer_metric_name,
            target_group=ingress.target_group_metric_name,
            is_shared=ingress.is_shared,
        ),
        cluster_name=compute.cluster_name,
        service_name=compute.service_name,
        file_system_id=args.storage.file_system_id,
    )
    if settings.operations.log_archive_days:
        LogArchive(
            named("log-archive"),
            LogArchiveInputs(
                context=args.context,
                log_group_name=compute.log_group_name,
                key_arn=compute.log_key_arn,
            ),
            options(),
        )
    Dashboard(
        named("dashboard"),
        DashboardInputs(
            context=args.context,
            dimensions=dimensions,
            locking_node_ids=args.locking.node_ids if args.locking else (),
        ),
        options(),
    )
    if compute.agent_log_group_name is not None:
        if settings.drift.enabled:
            DriftMetrics(named("drift"), args.context, compute.agent_log_group_name, options())
        WorkerMetrics(named("workers"), args.context, compute.agent_log_group_name, options())
    if settings.operations.alarm_topic_arns and settings.task.desired_count:
        Alarms(
            named("alarms"),
            AlarmsInputs(
                context=args.context, dimensions=dimensions, certificate_arn=ingress and ingress.certificate_arn
            ),
            options(),
        )
