"""Alarms: notify on-call before users notice."""

import dataclasses
from collections.abc import Mapping

import pulumi
import pulumi_aws as aws

from ..compute.compute import Compute
from ..compute.service import WORKERS
from ..context import Context
from ..ingress.ingress import Ingress
from ..settings import Settings
from ..storage.locking import Locking
from ..storage.storage import Storage
from .log_metrics import DRIFTED, GOOD_RUNS, HEALTHY, LONGEST_WAIT

LEAST_BURST_CREDITS = 100 * 1024**2 * 30 * 60
"""Bytes: half an hour at the 100 MiB/s that a file system bursts to."""
MOST_MEMORY_PERCENT = 90
LEAST_CERTIFICATE_DAYS = 20
"""ACM renews its certificates about 60 days before they expire. Fewer days are left only if the renewal failed."""
_MINUTE, _HOUR, _DAY = 60, 60 * 60, 24 * 60 * 60


@dataclasses.dataclass(frozen=True, kw_only=True)
class Observed:
    """The parts of one Atlantis that are observed."""

    context: Context
    ingress: Ingress | None
    compute: Compute
    storage: Storage
    locking: Locking | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class _Alarm:
    """One metric and its threshold: `periods` of `period` seconds in a row beyond `threshold` raise the alarm."""

    name: str
    meaning: str
    metric: str
    dimensions: Mapping[str, pulumi.Input[str]] = dataclasses.field(default_factory=dict[str, pulumi.Input[str]])
    statistic: str = "Maximum"
    comparison: str = "GreaterThanThreshold"
    threshold: float = 0
    period: int = _MINUTE
    periods: int
    missing: str
    """How CloudWatch treats missing data: `breaching`, `notBreaching`, or `ignore`, which keeps the alarm's state."""
    entry: str = ""
    """Its heading in docs/on-call.md; empty: its name."""


class Alarms(pulumi.ComponentResource):
    """An alarm for each condition that stops the service and needs an operator."""

    def __init__(self, name: str, args: Observed, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("atlantis:index:Alarms", name, None, opts)
        settings = args.context.settings
        topics = settings.operations.alarm_topic_arns
        for alarm in [*_requests(args), *_resources(args), *_drift(args.context), *_workers(args.context)]:
            namespace, metric = alarm.metric.rsplit("/", 1)
            aws.cloudwatch.MetricAlarm(
                f"{name}-{alarm.name}",
                name=args.context.names.alarm(alarm.name),
                alarm_description=f"{alarm.meaning}. {_page(settings)}#{alarm.entry or alarm.name}",
                namespace=namespace,
                metric_name=metric,
                dimensions=alarm.dimensions,
                statistic=alarm.statistic,
                comparison_operator=alarm.comparison,
                threshold=alarm.threshold,
                period=alarm.period,
                evaluation_periods=alarm.periods,
                treat_missing_data=alarm.missing,
                alarm_actions=topics,
                ok_actions=topics,
                tags=args.context.tags,
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({})


def entries(settings: Settings) -> list[str]:
    """Links to the entries of all alarms that the settings can create, in Markdown."""
    names = ["unreachable", "unanswered", "errors", "certificate", "memory", "burst-credits"]
    names += ["drift", "drift-detection"] if settings.drift.enabled else []
    names += ["no-worker", "waiting"] if settings.worker_groups else []
    return [f"[{name}]({_page(settings)}#{name})" for name in names]


def _page(settings: Settings) -> str:
    """The chapter with an entry for each alarm; without `documentationUrl`, its file in this repository."""
    return f"{(settings.operations.documentation_url or 'docs').rstrip('/')}/on-call.md"


def _requests(args: Observed) -> list[_Alarm]:
    """Alarms for failed requests, which users and GitHub notice first."""
    if (ingress := args.ingress) is None:
        return [_not_running(args)]
    load_balancer = {"LoadBalancer": ingress.load_balancer_metric_name}
    target_group = load_balancer | {"TargetGroup": ingress.target_group_metric_name}
    return [
        _Alarm(
            name="unreachable",
            meaning="No healthy task for five minutes, longer than a deployment takes: look at the service's events and the task's log",
            # The nodes in each zone report separately. A healthy task in the report of one node, the maximum, is enough.
            metric="AWS/ApplicationELB/HealthyHostCount",
            dimensions=target_group,
            comparison="LessThanThreshold",
            threshold=1,
            periods=5,
            # Without a registered task, the load balancer reports no data.
            missing="breaching",
        ),
        _failures(
            "unanswered",
            "The load balancer couldn't connect to the task: redeliver the webhooks that failed, see the App's Advanced page",
            "AWS/ApplicationELB/TargetConnectionErrorCount",
            target_group,
        )
        if ingress.is_shared
        else _failures(
            "unanswered",
            "The load balancer answered requests with 5xx itself: redeliver the webhooks that failed, see the App's Advanced page",
            "AWS/ApplicationELB/HTTPCode_ELB_5XX_Count",
            load_balancer,
        ),
        _failures(
            "errors",
            "Atlantis answered requests with 5xx for ten minutes: look at the task's log",
            "AWS/ApplicationELB/HTTPCode_Target_5XX_Count",
            target_group,
        ),
        *_certificate(ingress.certificate_arn),
    ]


def _certificate(arn: pulumi.Input[str] | None) -> list[_Alarm]:
    if arn is None:
        return []
    return [
        _Alarm(
            name="certificate",
            meaning="The certificate ends soon and was not renewed: look at its validation records, or import a new one",
            metric="AWS/CertificateManager/DaysToExpiry",
            dimensions={"CertificateArn": arn},
            statistic="Minimum",
            comparison="LessThanThreshold",
            threshold=LEAST_CERTIFICATE_DAYS,
            period=_DAY,
            periods=1,
            missing="ignore",
        ),
    ]


def _not_running(args: Observed) -> _Alarm:
    """Without a load balancer, nothing checks the server. A running task sends one sample of its CPU each minute, also
    without Container Insights."""
    return _Alarm(
        name="unreachable",
        meaning="No running task for five minutes, longer than a deployment takes: look at the service's events and the task's log",
        metric="AWS/ECS/CPUUtilization",
        dimensions=_service(args),
        statistic="SampleCount",
        comparison="LessThanThreshold",
        threshold=1,
        periods=5,
        missing="breaching",
    )


def _service(args: Observed) -> dict[str, pulumi.Input[str]]:
    return {"ClusterName": args.compute.cluster_name, "ServiceName": args.compute.service_name}


def _failures(name: str, meaning: str, metric: str, dimensions: Mapping[str, pulumi.Input[str]]) -> _Alarm:
    """An alarm if `metric` counts responses in two consecutive periods. The downtime of a deployment is shorter."""
    return _Alarm(
        name=name,
        meaning=meaning,
        metric=metric,
        dimensions=dimensions,
        statistic="Sum",
        period=5 * _MINUTE,
        periods=2,
        missing="notBreaching",
    )


def _resources(args: Observed) -> list[_Alarm]:
    """Alarms for resources that the task can exhaust."""
    return [
        _Alarm(
            name="memory",
            meaning="The task is close to its memory, where Fargate kills it and an apply leaves its state locked: raise memory",
            metric="AWS/ECS/MemoryUtilization",
            dimensions=_service(args),
            threshold=MOST_MEMORY_PERCENT,
            periods=3,
            missing="notBreaching",
        ),
        _Alarm(
            name="burst-credits",
            meaning="The file system is about to fall to its base throughput, at which plans stall: set it to elastic throughput",
            metric="AWS/EFS/BurstCreditBalance",
            dimensions={"FileSystemId": args.storage.file_system_id},
            statistic="Minimum",
            comparison="LessThanThreshold",
            threshold=LEAST_BURST_CREDITS,
            period=5 * _MINUTE,
            periods=3,
            missing="ignore",
        ),
    ]


def _drift(context: Context) -> list[_Alarm]:
    """Alarms for drift, and for a detection that no longer works."""
    if not context.settings.drift.enabled:
        return []
    metrics = context.names.metrics
    return [
        _Alarm(
            name="drift",
            meaning="Real resources differ from the code: look at the issues with the label atlantis-drift in the repositories",
            metric=f"{metrics}/{DRIFTED}",
            period=_HOUR,
            periods=1,
            # Between two runs there is no data, and the last run's result stays true.
            missing="ignore",
        ),
        _Alarm(
            name="drift-detection",
            meaning="No detection of drift without failures for twice its interval: look at the log of the container agent",
            metric=f"{metrics}/{GOOD_RUNS}",
            statistic="Sum",
            comparison="LessThanThreshold",
            threshold=1,
            period=_HOUR,
            periods=2 * context.settings.drift.interval_hours,
            missing="breaching",
        ),
    ]


def _workers(context: Context) -> list[_Alarm]:
    """Alarms for commands that don't start: no worker is healthy, or all are busy for too long."""
    wait = context.settings.workers.worker_wait_minutes * 60
    metrics = context.names.metrics
    return [
        alarm
        for group in context.settings.worker_groups
        for alarm in (
            _Alarm(
                name=f"no-{group.role}-worker",
                entry="no-worker",
                meaning=f"No healthy worker for {group.role} commands for five minutes: look at the events of the service "
                f"{context.names.workers(group.role)} and at the log streams {group.role}/",
                metric=f"{metrics}/{HEALTHY}",
                dimensions={WORKERS: group.role},
                comparison="LessThanThreshold",
                threshold=1,
                periods=5,
                # The agent writes a line every minute; without it, nobody knows the workers.
                missing="breaching",
            ),
            _Alarm(
                name=f"{group.role}-waiting",
                entry="waiting",
                meaning=f"A {group.role} command has waited for a free worker for half of workerWaitMinutes, after which it fails: "
                f"raise {group.role}Workers",
                metric=f"{metrics}/{LONGEST_WAIT}",
                dimensions={WORKERS: group.role},
                threshold=wait / 2,
                periods=1,
                missing="notBreaching",
            ),
        )
    ]
