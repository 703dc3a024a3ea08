"""Dashboard: metrics of the service, the load balancer, the file system and the locking database on one page."""

from typing import Any

import pulumi
import pulumi_aws as aws

from ..compute.service import WORKERS
from ..names import PhysicalNames
from .alarms import Observed, entries
from .log_metrics import (
    BUSY,
    DRIFTED,
    ENDED,
    FAILED,
    GOOD_RUNS,
    HEALTHY,
    HOURS_SINCE_GOOD_PLAN,
    HOURS_SINCE_GOOD_RUN,
    LONGEST_WAIT,
    PLACES,
    WAITING,
    by_project,
)

_COLUMNS, _WIDTH, _HEIGHT = 24, 8, 6


class Dashboard(pulumi.ComponentResource):
    """One CloudWatch dashboard, with the most important graphs first."""

    def __init__(self, name: str, args: Observed, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("atlantis:index:Dashboard", name, None, opts)
        names, settings = args.context.names, args.context.settings
        graphs = [
            *_service(args),
            *_load_balancer(args),
            *(graph for group in settings.worker_groups for graph in _workers(names, group.role)),
            *_file_system(args),
            *_locking(args),
            *(_drift(names) if settings.drift.enabled else ()),
        ]
        per_row = _COLUMNS // _WIDTH
        widgets = [
            {
                "type": "metric",
                "x": position % per_row * _WIDTH,
                "y": position // per_row * _HEIGHT,
                "width": _WIDTH,
                "height": _HEIGHT,
                "properties": {"title": title, "region": names.region, "stat": stat, "period": 60, "metrics": metrics},
            }
            for position, (title, stat, metrics) in enumerate(graphs)
        ]
        on_call = {
            "type": "text",
            "x": 0,
            "y": -(-len(graphs) // per_row) * _HEIGHT,
            "width": _COLUMNS,
            "height": 2,
            "properties": {"markdown": "On call: " + ", ".join(entries(settings))},
        }
        aws.cloudwatch.Dashboard(
            name,
            dashboard_name=args.context.names.dashboard,
            dashboard_body=pulumi.Output.json_dumps({"widgets": [*widgets, on_call]}),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})


_Graph = tuple[str, str, list[list[Any]]]
"""Title, statistic, metrics: namespace, name, and dimensions as names and values."""


def _service(args: Observed) -> list[_Graph]:
    service = ["ClusterName", args.compute.cluster_name, "ServiceName", args.compute.service_name]
    return [
        (
            "Tasks",
            "Average",
            [["ECS/ContainerInsights", count, *service] for count in ("DesiredTaskCount", "RunningTaskCount")],
        ),
        ("Memory (%)", "Maximum", [["AWS/ECS", "MemoryUtilization", *service]]),
        ("CPU (%)", "Maximum", [["AWS/ECS", "CPUUtilization", *service]]),
    ]


def _load_balancer(args: Observed) -> list[_Graph]:
    ingress = args.ingress
    if ingress is None:
        return []
    balancer = ["LoadBalancer", ingress.load_balancer_metric_name]
    targets = [*balancer, "TargetGroup", ingress.target_group_metric_name]
    namespace = "AWS/ApplicationELB"
    # A shared load balancer also counts requests to others.
    requests, failures = (
        (targets, [[namespace, "TargetConnectionErrorCount", *targets]])
        if ingress.is_shared
        else (balancer, [[namespace, f"HTTPCode_ELB_{kind}_Count", *balancer] for kind in ("4XX", "5XX")])
    )
    return [
        ("Healthy tasks", "Maximum", [[namespace, "HealthyHostCount", *targets]]),
        ("Requests", "Sum", [[namespace, "RequestCount", *requests]]),
        ("Failed requests", "Sum", [*failures, [namespace, "HTTPCode_Target_5XX_Count", *targets]]),
        ("Seconds until an answer", "p95", [[namespace, "TargetResponseTime", *targets]]),
    ]


def _file_system(args: Observed) -> list[_Graph]:
    system = ["FileSystemId", args.storage.file_system_id]
    return [
        ("File system: burst credits (bytes)", "Minimum", [["AWS/EFS", "BurstCreditBalance", *system]]),
        (
            "File system: I/O (bytes)",
            "Sum",
            [["AWS/EFS", name, *system] for name in ("DataReadIOBytes", "DataWriteIOBytes")],
        ),
    ]


def _locking(args: Observed) -> list[_Graph]:
    if args.locking is None:
        return []
    metrics = {"Redis: memory (%)": "DatabaseMemoryUsagePercentage", "Redis: connections": "CurrConnections"}
    return [
        (title, "Maximum", [["AWS/ElastiCache", metric, "CacheClusterId", node] for node in args.locking.node_ids])
        for title, metric in metrics.items()
    ]


def _workers(names: PhysicalNames, role: str) -> list[_Graph]:
    """The workers of a kind: their places and commands, how long commands wait, and what the tasks use."""

    def of(*metrics: str) -> list[list[Any]]:
        return [[names.metrics, metric, WORKERS, role] for metric in metrics]

    service = ["ClusterName", names.cluster, "ServiceName", names.workers(role)]
    return [
        (f"Workers ({role}): places, busy, waiting commands", "Maximum", of(PLACES, BUSY, WAITING)),
        (f"Workers ({role}): seconds of the longest wait", "Maximum", of(LONGEST_WAIT)),
        (f"Workers ({role}): healthy, ended", "Maximum", of(HEALTHY, ENDED)),
        (
            f"Workers ({role}): memory, CPU (%)",
            "Maximum",
            [["AWS/ECS", metric, *service] for metric in ("MemoryUtilization", "CPUUtilization")],
        ),
    ]


def _drift(names: PhysicalNames) -> list[_Graph]:
    return [
        ("Drift: projects", "Maximum", [[names.metrics, DRIFTED], [names.metrics, FAILED]]),
        ("Drift: detections without failures", "Sum", [[names.metrics, GOOD_RUNS]]),
        ("Drift: hours since a detection without failures", "Maximum", [[names.metrics, HOURS_SINCE_GOOD_RUN]]),
        (
            "Drift: hours since a plan that worked, by project",
            "Maximum",
            [[{"expression": by_project(names, HOURS_SINCE_GOOD_PLAN), "id": "projects"}]],
        ),
    ]
