"""Existing parts next to a listener: the cluster, the load balancer's security group, the key of the logs, the registry."""

import ipaddress
import json
from collections.abc import Iterable, Mapping
from typing import Any

from components.settings.extra_containers import parameter_arn
from components.settings.schema import known, known_items
from preflight.aws import listed
from preflight.check import Check
from preflight.deployment import Deployment
from preflight.errors import FailedError, WarnedError

_HTTPS = 443


def cluster(deployment: Deployment) -> str:
    """The cluster is active, has the task's capacity provider, and reports the metrics that the dashboard shows."""
    name = deployment.settings.existing.cluster_name
    if name is None:
        return "clusterName is not set"
    found = deployment.aws.read("ecs", "describe_clusters", clusters=[name], include=["SETTINGS"])["clusters"]
    if not found or found[0]["status"] != "ACTIVE":
        status = f"is {found[0]['status']}" if found else "does not exist"
        raise FailedError(f"the cluster {name} {status}", "correct clusterName, or remove it for a new cluster")
    wanted = {"capacityProvider": deployment.settings.task.capacity_provider}
    wanted |= {
        f"{each.role}WorkerCapacityProvider": each.capacity_provider for each in deployment.settings.worker_groups
    }
    providers = found[0].get("capacityProviders", [])
    for key, provider in wanted.items():
        if provider in providers:
            continue
        raise FailedError(
            f"the cluster {name} has the capacity providers {', '.join(providers) or 'none'}, and {key} is {provider}",
            f"aws ecs put-cluster-capacity-providers --cluster {name} with {provider} next to its other ones, or change {key}",
        )
    insights = {item["name"]: item["value"] for item in found[0].get("settings", [])}.get("containerInsights")
    if insights not in ("enabled", "enhanced"):
        raise WarnedError(
            f"Container Insights is off in the cluster {name}, so the dashboard can't show the number of tasks",
            f"aws ecs update-cluster-settings --cluster {name} --settings name=containerInsights,value=enabled",
        )
    return f"{name} with {', '.join(dict.fromkeys(wanted.values()))}"


def security_group(deployment: Deployment) -> str:
    """The load balancer's security group lets requests in, and to the task, but not from everywhere."""
    existing, ingress = deployment.settings.existing, deployment.settings.ingress
    group = known(existing.load_balancer_security_group_id)
    if group is None:
        return "loadBalancerSecurityGroupId is not set"
    rules = deployment.aws.read(
        "ec2", "describe_security_group_rules", Filters=[{"Name": "group-id", "Values": [group]}]
    )["SecurityGroupRules"]
    if not rules:
        raise FailedError(f"{group} has no rules, or doesn't exist", "correct loadBalancerSecurityGroupId")
    inwards = [rule for rule in rules if not rule["IsEgress"] and _includes(rule, _HTTPS)]
    if not existing.extend_security_group:
        missing = [
            block
            for block in (*ingress.allowed_sources, *deployment.settings.webhook_sources)
            if not _allows(inwards, block)
        ]
        outwards = [
            rule for rule in rules if rule["IsEgress"] and _includes(rule, deployment.settings.task.container_port)
        ]
        if missing or not outwards:
            what = (
                f"HTTPS from {', '.join(missing)}"
                if missing
                else f"egress to port {deployment.settings.task.container_port}"
            )
            raise FailedError(
                f"{group} doesn't allow {what}",
                "add the rules, or set extendSecurityGroup to true for the stack to add them",
            )
    everywhere = [block for block in ("0.0.0.0/0", "::/0") if _allows(inwards, block)]
    if everywhere:
        raise WarnedError(
            f"{group} accepts HTTPS from {', '.join(everywhere)}: only the listener's rules close the server",
            "accept that, or limit the security group if no other service behind the load balancer is public",
        )
    return group


def log_key(deployment: Deployment) -> str:
    """The key is enabled, and its policy lets CloudWatch Logs use it."""
    arn = known(deployment.settings.existing.log_key_arn)
    if arn is None:
        return "logKeyArn is not set"
    found = deployment.aws.find("kms", "describe_key", KeyId=arn)
    if found is None or found["KeyMetadata"]["KeyState"] != "Enabled":
        status = f"is {found['KeyMetadata']['KeyState']}" if found else "does not exist"
        raise FailedError(f"{arn} {status}", "correct logKeyArn, or enable the key")
    service = deployment.names.via("logs")
    text = deployment.aws.read("kms", "get_key_policy", KeyId=arn, PolicyName="default")["Policy"]
    if not any(service in _services(statement) for statement in json.loads(text)["Statement"]):
        raise FailedError(
            f"the policy of {arn} has no statement for {service}: the log group can't be created",
            f"allow {service} kms:Encrypt*, kms:Decrypt*, kms:ReEncrypt*, kms:GenerateDataKey* and kms:Describe* in the key's policy",
        )
    return f"{arn.rpartition('/')[2]}, with {service} in its policy"


def registry(deployment: Deployment) -> str:
    """The Cloud Map service exists, and has A records."""
    arn = known(deployment.settings.existing.service_registry_arn)
    if arn is None:
        return "serviceRegistryArn is not set"
    found = deployment.aws.find("servicediscovery", "get_service", Id=arn.rpartition("/")[2])
    if found is None:
        raise FailedError(f"{arn} does not exist", "correct serviceRegistryArn")
    kinds = [record["Type"] for record in found["Service"].get("DnsConfig", {}).get("DnsRecords", [])]
    if "A" not in kinds:
        raise FailedError(
            f"the service {found['Service']['Name']} has {', '.join(kinds) or 'no'} records, and ECS registers an address",
            "name a service with A records",
        )
    return found["Service"]["Name"]


def additional_policies(deployment: Deployment) -> str:
    """The operator's policies for Terraform exist, and don't allow everything."""
    terraform = deployment.settings.terraform
    arns = sorted({*known_items(terraform.additional_policy_arns), *known_items(terraform.additional_plan_policy_arns)})
    if not arns:
        return "additionalPolicyArns is empty"
    for arn in arns:
        found = deployment.aws.find("iam", "get_policy", PolicyArn=arn)
        if found is None:
            raise FailedError(f"{arn} does not exist", "create it, or remove it from the settings")
        statements = deployment.aws.policy_document(arn)["Statement"]
        wide = {"*", "iam:*"} & {
            action
            for statement in listed(statements)
            if statement["Effect"] == "Allow"
            for action in listed(statement.get("Action"))
        }
        if wide:
            raise WarnedError(
                f"{arn} allows {', '.join(sorted(wide))}, and every plan has this permission, except on the stack's own resources",
                "allow only the actions that Terraform needs",
            )
    return ", ".join(arn.rpartition("/")[2] for arn in arns)


def parameters(deployment: Deployment) -> str:
    """The parameters of Systems Manager exist."""
    configuration = deployment.settings.configuration
    references = (*configuration.secret_environment, *configuration.server_secrets)
    own = {name for _, found, name in (each.partition("=ssm:") for each in references) if found}
    containers = deployment.settings.task.extra_containers
    arns = {known(arn) for each in containers for arn in each.secrets.values() if parameter_arn(known(arn))}
    names = sorted(own | {arn.partition(":parameter")[2] for arn in arns})
    if not names:
        return "no secret is a parameter"
    for name in names:
        # An ARN doesn't show whether a name without a hierarchy begins with a slash.
        spellings = [name, name[1:]] if name.count("/") == 1 else [name]
        by_name = [{"Key": "Name", "Option": "Equals", "Values": spellings}]
        found = deployment.aws.read("ssm", "describe_parameters", ParameterFilters=by_name)["Parameters"]
        if not found:
            raise FailedError(
                f"the parameter {name} does not exist: the task can't start",
                f"aws ssm put-parameter --name {name} --type SecureString --value file://...",
            )
        if found[0]["Type"] != "SecureString":
            raise WarnedError(
                f"the parameter {name} is a {found[0]['Type']}, which isn't encrypted with a key",
                "store it again with --type SecureString",
            )
    return ", ".join(names)


CHECKS = (
    Check("existing parts", "cluster", cluster),
    Check("existing parts", "load balancer's security group", security_group),
    Check("existing parts", "key of the logs", log_key),
    Check("existing parts", "service registry", registry),
    Check("existing parts", "additional policies", additional_policies),
    Check("existing parts", "parameters", parameters),
)


def _includes(rule: Mapping[str, Any], port: int) -> bool:
    if rule["IpProtocol"] == "-1":
        return True
    return rule["IpProtocol"] == "tcp" and rule["FromPort"] <= port <= rule["ToPort"]


def _allows(rules: Iterable[Mapping[str, Any]], block: str) -> bool:
    wanted = ipaddress.ip_network(block)
    ranges = (ipaddress.ip_network(rule.get("CidrIpv4") or rule.get("CidrIpv6") or "192.0.2.0/32") for rule in rules)
    return any(found.version == wanted.version and wanted.subnet_of(found) for found in ranges)  # pyright: ignore[reportArgumentType]


def _services(statement: Mapping[str, Any]) -> list[str]:
    """The service principals that a statement allows."""
    principal = statement.get("Principal", {})
    return listed(principal.get("Service")) if statement["Effect"] == "Allow" and isinstance(principal, dict) else []
