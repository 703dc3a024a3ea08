"""logging: what happened can be read afterwards."""

from typing import Final

from rules.configuration import Option
from rules.resources import Resource
from rules.rule import Findings, ResourceCheck, Rule
from rules.task_definitions import containers
from rules.values import UNKNOWN, integer, mappings, sequence, text

__all__ = ["RULE"]


_API_LOGS: Final = ("requests to the API leave no trace", "set accessLogSettings with the ARN of a log group")


def _log_group(resource: Resource, findings: Findings) -> None:
    least = findings.settings.number("minimumRetentionDays")
    days = resource.at("retentionInDays")
    if days is UNKNOWN:
        findings.not_evaluated(resource, "retention", "retentionInDays")
    elif not integer(days):
        findings.violation(
            resource,
            "retention",
            "logs are kept for ever, because no retention is set",
            f"set retentionInDays to {least} or more",
        )
    elif (integer(days) or 0) < least:
        what = f"logs are kept {integer(days)} days, fewer than {least}"
        findings.violation(resource, "retention", what, f"set retentionInDays to {least} or more")


def _load_balancer(resource: Resource, findings: Findings) -> None:
    if resource.at("loadBalancerType") == "gateway":
        return  # a gateway load balancer keeps no access log
    if resource.type == "elb/loadBalancer" and resource.at("accessLogs.enabled") is None and resource.at("accessLogs"):
        return  # on a classic load balancer, the block alone switches the log on
    findings.require(
        resource,
        "access-logs",
        "accessLogs.enabled",
        "it keeps no access log",
        "set accessLogs with enabled true and a bucket in its own region (with SSE-S3)",
    )


def _containers(resource: Resource, findings: Findings) -> None:
    for path, container in containers(resource, findings, "container-logs"):
        configuration = container.get("logConfiguration")
        if not isinstance(configuration, dict) or text(configuration.get("logDriver")) is None:
            what = f"{path} has no logConfiguration, so its output is lost"
            findings.violation(resource, "container-logs", what, "set logConfiguration, with the driver awslogs")


def _cluster(resource: Resource, findings: Findings) -> None:
    settings = resource.at("settings")
    if settings is UNKNOWN:
        findings.not_evaluated(resource, "container-insights", "settings")
        return
    insights = [each.get("value") for _, each in mappings(settings) if each.get("name") == "containerInsights"]
    if not any(value in ("enabled", "enhanced", UNKNOWN) for value in insights):
        findings.violation(
            resource,
            "container-insights",
            "Container Insights are off",
            "add the setting containerInsights with the value enabled",
        )


def _control_plane(resource: Resource, findings: Findings) -> None:
    types = resource.at("enabledClusterLogTypes")
    if types is UNKNOWN or UNKNOWN in sequence(types):
        findings.not_evaluated(resource, "control-plane-logs", "enabledClusterLogTypes")
    elif "audit" not in sequence(types):
        what = "nobody can see who did what through its API"
        findings.violation(
            resource, "control-plane-logs", what, "add audit (and api, authenticator) to enabledClusterLogTypes"
        )


def _destination(path: str, what: str, remedy: str) -> ResourceCheck:
    def check(resource: Resource, findings: Findings) -> None:
        if resource.at(path) in (None, "", []):
            findings.violation(resource, "access-logs", what, remedy)

    return check


RULE: Final = Rule(
    name="logging",
    title="Logging",
    description="Logs are written, and kept for a set time.",
    why=(
        "After an incident the logs are the only evidence. Kept for ever they are a cost and a liability; kept too short"
        " they are gone when they are needed."
    ),
    severity="medium",
    level="advisory",
    controls=("APIGateway.1", "APIGateway.9", "ELB.5", "ECS.9", "ECS.12", "EKS.8"),
    remediation="Switch on the log that the message names, and give log groups a retention.",
    checks={
        "retention": "Log groups have a retention of at least `minimumRetentionDays`.",
        "access-logs": "Load balancers, distributions and API stages write access logs.",
        "container-logs": "Every container has a log configuration.",
        "control-plane-logs": "EKS clusters write the audit log of their API.",
        "container-insights": "ECS clusters have Container Insights on.",
    },
    by_type={
        "cloudwatch/logGroup": (_log_group,),
        "lb/loadBalancer": (_load_balancer,),
        "elb/loadBalancer": (_load_balancer,),
        "ecs/taskDefinition": (_containers,),
        "ecs/cluster": (_cluster,),
        "eks/cluster": (_control_plane,),
        "apigateway/stage": (_destination("accessLogSettings", *_API_LOGS),),
        "apigatewayv2/stage": (_destination("accessLogSettings", *_API_LOGS),),
    },
    settings=(
        Option(
            "minimumRetentionDays",
            "number",
            7,
            "The shortest retention of a log group, in days. CloudWatch.16 wants 365.",
        ),
    ),
)
