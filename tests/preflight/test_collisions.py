"""What stands in the deployment's way: others' resources under its names, and endpoints of the VPC."""

from pathlib import Path

import pytest

from components.adoption import FILE_VARIABLE
from preflight.errors import Status
from sandbox.testbed.local_aws import REGION
from tests.preflight.account import Account, own_tags, policy

TRUST = policy({"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"})


def a_role(account: Account, tags: list[dict[str, str]]) -> None:
    account.client("iam").create_role(RoleName="atlantis-ecs-task-prod", AssumeRolePolicyDocument=TRUST, Tags=tags)


def a_deployed_role(account: Account, tags: list[dict[str, str]]) -> None:
    a_role(account, tags)
    if tags:
        a_cluster(account, tags)


def a_cluster(account: Account, tags: list[dict[str, str]]) -> None:
    lower = [{"key": tag["Key"], "value": tag["Value"]} for tag in tags]
    account.client("ecs").create_cluster(clusterName="atlantis-prod", tags=lower)


def a_log_group(account: Account, tags: list[dict[str, str]]) -> None:
    logs = account.client("logs")
    named = {"tags": {tag["Key"]: tag["Value"] for tag in tags}} if tags else {}
    logs.create_log_group(logGroupName="/ecs/atlantis-prod", **named)
    logs.create_log_group(logGroupName="/ecs/atlantis-prod-other")


def an_alias(account: Account, tags: list[dict[str, str]]) -> None:
    kms = account.client("kms")
    spelled = [{"TagKey": tag["Key"], "TagValue": tag["Value"]} for tag in tags]
    kms.create_alias(AliasName="alias/efs-atlantis", TargetKeyId=kms.create_key(Tags=spelled)["KeyMetadata"]["KeyId"])


def a_load_balancer(account: Account, tags: list[dict[str, str]]) -> None:
    subnets = [account.ids["public a"], account.ids["public b"]]
    account.client("elbv2").create_load_balancer(
        Name="atlantis-prod", Subnets=subnets, **({"Tags": tags} if tags else {})
    )


def a_repository(account: Account, tags: list[dict[str, str]]) -> None:
    arn = account.names.repository_arn
    if not tags:
        account.client("ecr").untag_resource(resourceArn=arn, tagKeys=["Project", "Environment", "ManagedBy"])


MAKERS = {
    "names: repository": (a_repository, "the repository atlantis"),
    "names: key aliases": (an_alias, "the key alias alias/efs-atlantis"),
    "names: roles": (a_deployed_role, "the role atlantis-ecs-task-prod"),
    "names: cluster": (a_cluster, "the cluster atlantis-prod"),
    "names: load balancer": (a_load_balancer, "the load balancer atlantis-prod"),
    "names: log group": (a_log_group, "the log group /ecs/atlantis-prod"),
}


@pytest.mark.parametrize("check", MAKERS)
def test_name_taken_by_somebody_else_is_a_warning(account: Account, check: str):
    make, what = MAKERS[check]
    make(account, [])
    account.assert_only(check, Status.WARNING, f"{what} exists, and doesn't have this stack's tags", "pulumi import")


@pytest.mark.parametrize("check", MAKERS)
def test_name_taken_by_the_stack_itself_is_fine(account: Account, check: str):
    make, _ = MAKERS[check]
    make(account, own_tags())
    result = account.result(check)
    assert result.status is Status.OK
    assert "this stack" in result.message


def test_the_roles_of_the_same_environment_in_another_region_are_a_warning(account: Account):
    a_role(account, own_tags())
    told = "atlantis-ecs-task-prod exist with this stack's tags, but ap-northeast-2 has no cluster atlantis-prod"
    account.assert_only("names: roles", Status.WARNING, told, "set regionalIamNames to true")


def test_a_secret_of_somebody_else_is_a_warning_and_one_being_deleted_a_failure(account: Account):
    client, name = account.client("secretsmanager"), account.names.web_password_secret
    client.create_secret(Name=name)
    account.assert_only(
        "names: secrets", Status.WARNING, f"the secret {name} exists, and doesn't have this stack's tags"
    )
    client.tag_resource(SecretId=name, Tags=own_tags())
    assert account.result("names: secrets").message == f"{name} of this stack"
    client.delete_secret(SecretId=name, RecoveryWindowInDays=30)
    account.assert_only(
        "names: secrets", Status.FAILED, f"{name} is scheduled for deletion", f"restore-secret --secret-id {name}"
    )


def test_tags_of_another_environment_are_not_the_stacks(account: Account):
    a_cluster(account, [tag if tag["Key"] != "Environment" else tag | {"Value": "dev"} for tag in own_tags()])
    account.assert_only("names: cluster", Status.WARNING, "the cluster atlantis-prod exists")


def test_deleted_cluster_leaves_its_name_free(account: Account):
    a_cluster(account, [])
    account.client("ecs").delete_cluster(cluster="atlantis-prod")
    assert account.result("names: cluster").message == "atlantis-prod is free"


def interface_endpoint(account: Account, *, own: bool = False) -> str:
    tags = {"TagSpecifications": [{"ResourceType": "vpc-endpoint", "Tags": own_tags()}]} if own else {}
    return account.client("ec2").create_vpc_endpoint(
        VpcId=account.ids["vpc"],
        ServiceName=f"com.amazonaws.{REGION}.secretsmanager",
        VpcEndpointType="Interface",
        PrivateDnsEnabled=True,
        SubnetIds=[account.ids["private a"]],
        **tags,
    )["VpcEndpoint"]["VpcEndpointId"]


def test_endpoint_with_the_same_private_name_is_a_failure(account: Account):
    endpoint = interface_endpoint(account)
    account.assert_only(
        "names: VPC endpoints",
        Status.FAILED,
        f"{account.ids['vpc']} already has secretsmanager ({endpoint})",
        "remove them from vpcEndpoints: [ecr.api, ecr.dkr, s3, logs]",
    )
    account.values["vpcEndpoints"] = ["ecr.api", "ecr.dkr", "s3", "logs"]
    assert account.result("names: VPC endpoints").status is Status.OK


def test_endpoint_of_the_stack_itself_and_one_without_a_private_name_are_fine(account: Account):
    interface_endpoint(account, own=True)
    assert account.result("names: VPC endpoints").status is Status.OK
    account.altered["ec2", "describe_vpc_endpoints"] = {"VpcEndpoints": {"Tags": [], "PrivateDnsEnabled": False}}
    assert account.result("names: VPC endpoints").status is Status.OK


def test_an_endpoint_that_the_next_update_adopts_is_fine(
    account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    endpoint = interface_endpoint(account)
    adoption = tmp_path / "adoption.yaml"
    adoption.write_text(f"prod: {{import: {{network-endpoint-secretsmanager: {endpoint}}}}}", encoding="utf-8")
    monkeypatch.setenv(FILE_VARIABLE, str(adoption))
    assert account.result("names: VPC endpoints").status is Status.OK


@pytest.mark.parametrize(("routes", "status"), [("private routes", Status.FAILED), ("public routes", Status.OK)])
def test_gateway_endpoint_is_in_the_way_only_on_the_private_routes(account: Account, routes: str, status: Status):
    account.client("ec2").create_vpc_endpoint(
        VpcId=account.ids["vpc"],
        ServiceName=f"com.amazonaws.{REGION}.s3",
        VpcEndpointType="Gateway",
        RouteTableIds=[account.ids[routes]],
    )
    assert account.result("names: VPC endpoints").status is status


def a_replication_group(account: Account, tags: list[dict[str, str]]) -> None:
    account.values["lockingDatabase"] = "redis"
    account.client("elasticache").create_replication_group(
        ReplicationGroupId="atlantis-prod", ReplicationGroupDescription="locks", Tags=tags
    )


def test_a_replication_group_of_somebody_else_is_a_warning(account: Account):
    a_replication_group(account, [])
    what = "the replication group atlantis-prod exists, and doesn't have this stack's tags"
    account.assert_only("names: locking database", Status.WARNING, what)


def test_a_replication_group_of_the_stack_itself_is_fine(account: Account):
    a_replication_group(account, own_tags())
    assert account.result("names: locking database").status is Status.OK


def test_a_locking_database_takes_a_key_alias_more(account: Account):
    assert "alias/locking-atlantis" not in account.result("names: key aliases").message
    account.values["lockingDatabase"] = "redis"
    assert "alias/locking-atlantis" in account.result("names: key aliases").message
    assert account.result("names: locking database").message == "atlantis-prod is free"
