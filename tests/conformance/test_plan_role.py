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
from tests.tables import table
from tests.unit.isolated import ATTACHMENT, ISOLATED, POLICY
from tests.unit.stacks import stack

PROVIDER = terraform_provider.find(everywhere=True)
pytestmark = needs_provider(everywhere=True)

NAME = "fileflow-api"

READ = {source: (arguments, set(actions)) for source, (arguments, actions) in table(__file__, "read").items()}
"""Arguments, and the actions that the provider needs, by data source."""

REFUSED: dict[str, tuple[dict[str, Any], str]] = table(__file__, "refused")


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
