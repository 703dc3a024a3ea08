"""What others use of an existing load balancer and cluster: an adoption must leave all of it as it is."""

from collections.abc import Iterator, Mapping
from typing import Any

from adoption.anatomy import Anatomy
from adoption.existing import load_balancer_arn
from sandbox.testbed.local_aws import LocalAws

_OF_CLUSTER = ("capacityProviders", "configuration", "defaultCapacityProviderStrategy", "settings", "status", "tags")
"""What a cluster is set to. Its numbers of tasks and services change by themselves."""


def snapshot(aws: LocalAws, anatomy: Anatomy) -> Mapping[str, Any]:
    """The existing parts of `anatomy` that aren't Atlantis' own, by type and ARN or ID; empty if it has no existing parts."""
    existing = anatomy.existing
    found: dict[str, Any] = {}
    if existing.listener_arn:
        own = {rule.id for rule in anatomy.leading_rules if anatomy.owns(rule)}
        found |= dict(_load_balancer(aws, load_balancer_arn(existing.listener_arn), own))
    if existing.cluster_name:
        clusters = aws.client("ecs").describe_clusters(
            clusters=[existing.cluster_name], include=["CONFIGURATIONS", "SETTINGS", "TAGS"]
        )["clusters"]
        found |= {
            f"cluster {cluster['clusterArn']}": [cluster.get(name) for name in _OF_CLUSTER] for cluster in clusters
        }
    return found


def _load_balancer(aws: LocalAws, arn: str, own: set[str]) -> Iterator[tuple[str, Any]]:
    elb, ec2 = aws.client("elbv2"), aws.client("ec2")
    (balancer,) = elb.describe_load_balancers(LoadBalancerArns=[arn])["LoadBalancers"]
    attributes = elb.describe_load_balancer_attributes(LoadBalancerArn=arn)["Attributes"]
    yield f"load balancer {arn}", [balancer, attributes, elb.describe_tags(ResourceArns=[arn])["TagDescriptions"]]
    for listener in elb.describe_listeners(LoadBalancerArn=arn)["Listeners"]:
        yield f"listener {listener['ListenerArn']}", listener
        for rule in elb.describe_rules(ListenerArn=listener["ListenerArn"])["Rules"]:
            if rule["RuleArn"] not in own:
                yield f"listener rule {rule['RuleArn']}", rule
    groups = [{"Name": "group-id", "Values": balancer["SecurityGroups"]}]
    for rule in ec2.describe_security_group_rules(Filters=groups)["SecurityGroupRules"]:
        yield f"security group rule {rule['SecurityGroupRuleId']}", rule


def changed(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    """A sentence for each part that changed or is missing. What is new is Atlantis' own."""
    for name, was in before.items():
        if after.get(name) != was:
            yield f"{name} of others {'changed' if name in after else 'is missing'}: an adoption leaves it as it is"
