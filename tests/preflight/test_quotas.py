"""Quotas: what the deployment needs is what the program registers, and the account's own values decide."""

import collections

import pytest

from components import settings
from preflight import quotas
from preflight.aws import Aws
from preflight.deployment import Deployment
from preflight.errors import Status
from tests.preflight.account import Account
from tests.preflight.altered_aws import Whole
from tests.unit.recording import LOCAL, REGION
from tests.unit.stacks import ALL, stack

VPCS = "quotas: VPCs"


@pytest.mark.parametrize("name", ALL)
def test_what_is_counted_is_what_the_program_registers(name: str) -> None:
    graph, given = stack(**ALL[name]), {key: value for key, value in (LOCAL | ALL[name]).items() if value is not None}
    deployment = Deployment("prod", settings.parse(given, stack="prod", region=REGION), Aws(REGION))

    rules = [
        rule.inputs
        for rule in graph.all("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule")
        if rule.inputs["securityGroupId"] == "network-alb-id"
    ]
    most = max(sum(family in rule for rule in rules) for family in ("cidrIpv4", "cidrIpv6"))
    assert quotas.rules_of_a_security_group(deployment) == most

    attached = graph.all("aws:iam/rolePolicyAttachment:RolePolicyAttachment")
    roles = collections.Counter(item.inputs["role"] for item in attached)
    assert quotas.policies_of_terraforms_role(deployment) == max(roles.values())

    assert quotas.listener_rules(deployment) == len(graph.all("aws:lb/listenerRule:ListenerRule"))


def test_the_account_s_own_value_decides(account: Account) -> None:
    assert account.result("quotas: policies of a role").message.startswith("9 of 10 (AWS' default")
    account.altered["service-quotas", "get_service_quota"] = Whole(Quota={"Value": 5.0})
    result = account.result("quotas: rules of a security group")
    assert (result.status, result.message) == (
        Status.FAILED,
        "the deployment needs 8, and the quota is 5 (Service Quotas)",
    )
    assert "--service-code vpc --quota-code L-0EA8095F --desired-value 8" in result.remedy


def test_workers_need_the_vcpus_of_a_deployment_that_starts_the_new_ones_first(account: Account) -> None:
    assert account.result("quotas: Fargate vCPUs").message.startswith("2 of 6 ")
    account.values |= {
        "terraformIsolation": "tasks",
        "planWorkers": "2-4",
        "planWorkerCapacityProvider": "FARGATE_SPOT",
    }
    assert account.result("quotas: Fargate vCPUs").message.startswith("4 of 6 ")
    result = account.result("quotas: Fargate Spot vCPUs")
    assert result.status is Status.FAILED
    assert "the deployment needs 8, and the quota is 6" in result.message


def test_a_new_vpc_needs_one_in_addition_to_those_of_others(account: Account) -> None:
    assert account.result(VPCS).message == "none is needed"
    for key in ("vpcId", "publicSubnetIds", "privateSubnetIds"):
        del account.values[key]
    ec2 = account.client("ec2")
    others = len(ec2.describe_vpcs()["Vpcs"])
    assert account.result(VPCS).message.startswith(f"1 in addition to {others} of others of 5 ")
    for number in range(5 - others):
        ec2.create_vpc(CidrBlock=f"10.{number + 1}.0.0/16")
    result = account.result(VPCS)
    assert result.status is Status.FAILED
    assert result.message.startswith("the deployment needs 1 in addition to 5 of others, and the quota is 5")
