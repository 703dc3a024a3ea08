"""logging: services write logs, and the logs are retained."""

from typing import Final

from evaluation.aws.task_definitions import containers
from evaluation.configuration import Option
from evaluation.resources import Resource
from evaluation.rule import Findings, ResourceCheck, Rule
from evaluation.values import UNKNOWN, at_least, integer, mappings, sequence, text

_API_LOGS: Final = (
    "accessLogSettings is not set, so the stage writes no access logs",
    "set accessLogSettings with the ARN of a log group",
)


def _log_group(resource: Resource, findings: Findings) -> None:
    least = findings.settings.number("minimumRetentionDays")
    days = resource.at("retentionInDays")
    if days is UNKNOWN:
        findings.not_evaluated(resource, "retention", "retentionInDays")
    elif not integer(days):
        what = "retentionInDays is not set, so logs never expire"
        remedy = f"set retentionInDays to {least} or more"
        findings.violation(resource, "retention", "retentionInDays", what, remedy)
    elif not at_least(days, least):
        what = f"retentionInDays is {integer(days)}, less than minimumRetentionDays ({least})"
        findings.violation(resource, "retention", "retentionInDays", what, f"set retentionInDays to {least} or more")


def _load_balancer(resource: Resource, findings: Findings) -> None:
    if resource.at("loadBalancerType") == "gateway":
        return  # a Gateway Load Balancer has no access logs
    if resource.type == "elb/loadBalancer" and resource.at("accessLogs.enabled") is None and resource.at("accessLogs"):
        return  # on a Classic Load Balancer, accessLogs alone enables them
    findings.require(
        resource,
        "access-logs",
        "accessLogs.enabled",
        "the load balancer writes no access logs",
        "set accessLogs.enabled to true and accessLogs.bucket to a bucket in the same region with SSE-S3",
    )


def _containers(resource: Resource, findings: Findings) -> None:
    for path, container in containers(resource, findings, "container-logs"):
        configuration = container.get("logConfiguration")
        if not isinstance(configuration, dict) or text(configuration.get("logDriver")) is None:
            what = f"{path}.logConfiguration is not set, so the container's output is lost"
            remedy = f"set {path}.logConfiguration, for example with the logDriver awslogs"
            findings.violation(resource, "container-logs", f"{path}.logConfiguration", what, remedy)


def _cluster(resource: Resource, findings: Findings) -> None:
    settings = resource.at("settings")
    if settings is UNKNOWN:
        findings.not_evaluated(resource, "container-insights", "settings")
        return
    insights = [each.get("value") for _, each in mappings(settings) if each.get("name") == "containerInsights"]
    if not any(value in ("enabled", "enhanced", UNKNOWN) for value in insights):
        what = "Container Insights is disabled"
        remedy = "add containerInsights with the value enabled to settings"
        findings.violation(resource, "container-insights", "settings", what, remedy)


def _control_plane(resource: Resource, findings: Findings) -> None:
    types = resource.at("enabledClusterLogTypes")
    if types is UNKNOWN or UNKNOWN in sequence(types):
        findings.not_evaluated(resource, "control-plane-logs", "enabledClusterLogTypes")
    elif "audit" not in sequence(types):
        what = "enabledClusterLogTypes doesn't contain audit, so API calls aren't logged"
        remedy = "add audit, api and authenticator to enabledClusterLogTypes"
        findings.violation(resource, "control-plane-logs", "enabledClusterLogTypes", what, remedy)


def _destination(path: str, what: str, remedy: str) -> ResourceCheck:
    def check(resource: Resource, findings: Findings) -> None:
        if resource.at(path) in (None, "", []):
            findings.violation(resource, "access-logs", path, what, remedy)

    return check


RULE: Final = Rule(
    name="logging",
    title="Logging",
    description="Services write logs, and log groups have a retention period.",
    why=(
        "After an incident, logs are the only evidence. Logs that never expire cost money and may violate privacy rules; logs"
        " that expire too early are missing when they are needed."
    ),
    severity="medium",
    level="advisory",
    controls=("APIGateway.1", "APIGateway.9", "ELB.5", "ECS.9", "ECS.12", "EKS.8"),
    remediation="Enable the log that the message names, and set a retention period on log groups.",
    checks={
        "retention": "Log groups have a retention period of at least `minimumRetentionDays`.",
        "access-logs": "Load balancers and API Gateway stages write access logs.",
        "container-logs": "Every container has a log configuration.",
        "control-plane-logs": "EKS clusters write the control plane's audit log.",
        "container-insights": "ECS clusters have Container Insights enabled.",
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
            "minimumRetentionDays", "number", 7, "Minimum retention of a log group in days. CloudWatch.16 requires 365."
        ),
    ),
)
