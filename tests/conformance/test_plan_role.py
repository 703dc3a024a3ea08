"""The least-privilege role of plans under the official provider: the data sources that it can read, and what they ask AWS for.

The table has every data source of the sample and of the public modules terraform-aws-modules/{alb,ecr,ecs,iam,secrets-manager,
security-group,vpc} with their examples (November 2026), and those of the resources that Terraform manages here.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.conformance.terraform import Terraform, TerraformError
from sandbox.testbed import local_aws, terraform_provider
from sandbox.testbed.engine.workspace import clean_environment
from sandbox.testbed.local_aws import ACCOUNT, LocalAws, instance
from tests.needs import iam_evaluator, needs_provider
from tests.unit.isolated import ATTACHMENT, ISOLATED, POLICY
from tests.unit.stacks import stack

PROVIDER = terraform_provider.find(everywhere=True)
pytestmark = needs_provider(everywhere=True)

NAME = "fileflow-api"
CLUSTER = "${data.aws_ecs_cluster.x.arn}"
LOAD_BALANCER = "${data.aws_lb.x.arn}"

READ: dict[str, tuple[dict[str, Any], set[str]]] = {
    "aws_availability_zones": ({"state": "available"}, {"ec2:DescribeAvailabilityZones"}),
    # GetCallerIdentity needs no permission, so the local AWS doesn't evaluate it.
    "aws_caller_identity": ({}, set()),
    "aws_cloudwatch_log_group": ({"name": NAME}, {"logs:DescribeLogGroups", "logs:ListTagsForResource"}),
    "aws_ecr_authorization_token": ({}, {"ecr:GetAuthorizationToken"}),
    "aws_ecr_repository": (
        {"name": NAME},
        {"ecr:DescribeImages", "ecr:DescribeRepositories", "ecr:ListTagsForResource"},
    ),
    "aws_ecs_cluster": ({"cluster_name": NAME}, {"ecs:DescribeClusters"}),
    "aws_ecs_service": ({"service_name": NAME, "cluster_arn": CLUSTER}, {"ecs:DescribeServices"}),
    "aws_ecs_task_definition": ({"task_definition": NAME}, {"ecs:DescribeTaskDefinition"}),
    "aws_iam_policy_document": ({"statement": [{"actions": ["s3:GetObject"], "resources": ["*"]}]}, set()),
    "aws_iam_role": ({"name": NAME}, {"iam:GetRole"}),
    "aws_internet_gateway": (
        {"filter": [{"name": "attachment.vpc-id", "values": ["${data.aws_vpc.x.id}"]}]},
        {"ec2:DescribeInternetGateways"},
    ),
    "aws_lb": (
        {"name": NAME},
        {f"elasticloadbalancing:Describe{what}" for what in ("LoadBalancers", "LoadBalancerAttributes", "Tags")},
    ),
    "aws_lb_listener": (
        {"load_balancer_arn": LOAD_BALANCER, "port": 80},
        {f"elasticloadbalancing:Describe{what}" for what in ("Listeners", "Tags")},
    ),
    "aws_lb_target_group": (
        {"name": NAME},
        {f"elasticloadbalancing:Describe{what}" for what in ("TargetGroups", "TargetGroupAttributes", "Tags")},
    ),
    "aws_partition": ({}, set()),
    "aws_prefix_list": (
        {"filter": [{"name": "prefix-list-name", "values": ["com.amazonaws.ap-northeast-2.s3"]}]},
        {"ec2:DescribePrefixLists"},
    ),
    "aws_region": ({}, set()),
    "aws_route_tables": ({"vpc_id": "${data.aws_vpc.x.id}"}, {"ec2:DescribeRouteTables"}),
    "aws_secretsmanager_secret": (
        {"name": NAME},
        {"secretsmanager:DescribeSecret", "secretsmanager:GetResourcePolicy"},
    ),
    "aws_security_group": ({"name": NAME}, {"ec2:DescribeSecurityGroups"}),
    "aws_security_groups": ({"filter": [{"name": "group-name", "values": [NAME]}]}, {"ec2:DescribeSecurityGroups"}),
    "aws_service_principal": ({"service_name": "ecs-tasks"}, set()),
    "aws_subnet": ({"id": "${data.aws_subnets.x.ids[0]}"}, {"ec2:DescribeSubnets"}),
    "aws_subnets": (
        {"filter": [{"name": "vpc-id", "values": ["${data.aws_vpc.x.id}"]}]},
        {"ec2:DescribeSubnets"},
    ),
    "aws_vpc": (
        {"cidr_block": "10.7.0.0/16"},
        {"ec2:DescribeVpcs", "ec2:DescribeVpcAttribute", "ec2:DescribeRouteTables"},
    ),
    "aws_vpc_endpoint_service": ({"service": "s3", "service_type": "Gateway"}, {"ec2:DescribeVpcEndpointServices"}),
}
"""Arguments, and the actions that the provider needs, by data source."""

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "aws_kms_alias": ({"name": "alias/aws/s3"}, "kms:ListAliases"),
    "aws_route53_zone": ({"name": "example.com"}, "route53:ListHostedZones"),
    "aws_secretsmanager_secret_version": ({"secret_id": NAME}, "secretsmanager:GetSecretValue"),
    "aws_ssm_parameter": ({"name": "/aws/service/ecs/optimized-ami/amazon-linux-2/recommended"}, "ssm:GetParameter"),
}
"""Data sources of services that Terraform doesn't manage with the stack's roles, and the action that isn't allowed.

`repositoryRoles` can allow them, and `planSecretPrefixes` the values of secrets. aws_outposts_outpost of the ALB module's
examples is one too; the local AWS lacks the service.
"""


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("plan-role")


@pytest.fixture(scope="module")
def aws(state: Path) -> Iterator[LocalAws]:
    """An account with one of each resource that the data sources look for."""
    iam_evaluator()
    made = local_aws.start(state, clean_environment())
    _resources(made)
    yield made
    local_aws.stop(state)


def _resources(aws: LocalAws) -> None:
    ec2, elb, ecs = aws.client("ec2"), aws.client("elbv2"), aws.client("ecs")
    vpc = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.7.{at}.0/24", AvailabilityZone=f"{aws.region}{zone}")["Subnet"][
            "SubnetId"
        ]
        for at, zone in enumerate("ac")
    ]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    ec2.create_security_group(GroupName=NAME, Description="api", VpcId=vpc)
    balancer = elb.create_load_balancer(Name=NAME, Subnets=subnets)["LoadBalancers"][0]["LoadBalancerArn"]
    group = elb.create_target_group(Name=NAME, Protocol="HTTP", Port=80, VpcId=vpc)["TargetGroups"][0]["TargetGroupArn"]
    forward = {"Type": "forward", "TargetGroupArn": group}
    elb.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=[forward])
    ecs.create_cluster(clusterName=NAME)
    container: dict[str, Any] = {"name": "api", "image": "public.ecr.aws/docker/library/busybox:1.37", "memory": 64}
    ecs.register_task_definition(family=NAME, containerDefinitions=[container])
    ecs.create_service(cluster=NAME, serviceName=NAME, taskDefinition=NAME, desiredCount=0)
    aws.client("ecr").create_repository(repositoryName=NAME)
    aws.client("logs").create_log_group(logGroupName=NAME)
    aws.client("secretsmanager").create_secret(Name=NAME, SecretString="{}")
    trust = {"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    aws.client("iam").create_role(RoleName=NAME, AssumeRolePolicyDocument=document)


def _plan_role(aws: LocalAws) -> dict[str, str]:
    """The variables with a session of a role that has the policies of the stack's plan role."""
    iam, graph = aws.client("iam"), stack(**ISOLATED)
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName="plan", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    attachments = [graph.one(ATTACHMENT, name) for name in graph.names(ATTACHMENT)]
    for attachment in attachments:
        if attachment.inputs["role"] == "atlantis-ecs-task-plan-prod":
            policy = graph.one(POLICY, attachment.inputs["policyArn"].rpartition(":")[2])
            iam.put_role_policy(RoleName="plan", PolicyName=policy.name, PolicyDocument=policy.inputs["policy"])
    session = aws.client("sts").assume_role(RoleArn=role, RoleSessionName="plan")["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": session["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": session["SecretAccessKey"],
        "AWS_SESSION_TOKEN": session["SessionToken"],
    }


@pytest.fixture(scope="module")
def planned(aws: LocalAws, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """The errors of one plan with all data sources, by address; the plan role's calls are in the log of decisions."""
    assert PROVIDER is not None
    terraform = Terraform(tmp_path_factory.mktemp("work"), PROVIDER, aws, _plan_role(aws))
    sources = {kind: {"x": arguments} for kind, (arguments, _) in {**READ, **REFUSED}.items()}
    terraform.configure({}, sources)
    with pytest.raises(TerraformError) as failed:
        terraform.plan_document()
    return {address: list(texts) for address, texts in failed.value.by_address.items()}


def _asked(state: Path, result: str) -> set[str]:
    lines = (state / instance.NAME / "iam-decisions.jsonl").read_text(encoding="utf-8").splitlines()
    return {call["action"] for line in lines if (call := json.loads(line))["result"] == result}


@pytest.mark.parametrize("kind", READ)
def test_a_plan_reads_the_data_source(planned: dict[str, list[str]], kind: str) -> None:
    assert planned.get(f"data.{kind}.x") is None


def test_the_provider_asks_for_the_actions_of_the_table_and_for_no_others(
    planned: dict[str, list[str]], state: Path
) -> None:
    assert planned
    expected = {action for _, actions in READ.values() for action in actions}
    assert _asked(state, "Allowed") == expected
    assert _asked(state, "ImplicitlyDenied") == {action for _, action in REFUSED.values()}
    assert _asked(state, "ExplicitlyDenied") == set()


@pytest.mark.parametrize("kind", REFUSED)
def test_a_data_source_of_another_service_is_refused(planned: dict[str, list[str]], kind: str) -> None:
    (said,) = planned[f"data.{kind}.x"]
    assert "AccessDenied" in said or "StatusCode: 403" in said
