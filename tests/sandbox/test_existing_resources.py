"""Substitutes for existing resources, and the inventory, against a local AWS, without the engine."""

import json
from pathlib import Path

import pytest

from sandbox.substitutes.existing_resources import ExistingResources
from sandbox.testbed.local_aws import REGION, LocalAws, inventory

MOVED = {
    "secretReaderArns": ["arn:aws:iam::123456789012:role/platform/deployer"],
    "additionalPolicyArns": ["arn:aws:iam::123456789012:policy/shop", "arn:aws:iam::aws:policy/ReadOnlyAccess"],
    "additionalPlanPolicyArns": ["arn:aws:iam::123456789012:policy/plans"],
    "deploymentRoleArn": "arn:aws:iam::123456789012:role/deployer",
    "serviceRegistryArn": f"arn:aws:servicediscovery:{REGION}:123456789012:service/srv-abcdefgh12345678",
    "extraContainers": [
        {"name": "proxy", "secrets": {"KEY": f"arn:aws:secretsmanager:{REGION}:123456789012:secret:proxy-AbCdEf:key::"}}
    ],
}
"""ARNs in the account and region of the local AWS; the stack file has those of another account and region."""
SETTINGS = {
    "aws:region": "ap-northeast-2",
    "atlantis:url": "https://atlantis.example.com",
    "atlantis:vpcId": "vpc-0a1b2c3d4e5f60718",
    "atlantis:publicSubnetIds": ["subnet-0a1b2c3d4e5f60711", "subnet-0a1b2c3d4e5f60712"],
    "atlantis:privateSubnetIds": ["subnet-0a1b2c3d4e5f60713", "subnet-0a1b2c3d4e5f60714"],
    "atlantis:planWorkerSubnetIds": ["subnet-0a1b2c3d4e5f60718", "subnet-0a1b2c3d4e5f60719"],
    "atlantis:acmCertificateArn": "arn:aws:acm:ap-northeast-2:999999999999:certificate/0a1b2c3d",
    "atlantis:hostedZoneId": "Z0123456789ABCDEFGHIJ",
    "atlantis:githubAppSecretName": "prod-atlantis-github-app",
    "atlantis:webhookSecretName": "prod-atlantis-webhook-secret",
    "atlantis:permissionsBoundaryArn": "arn:aws:iam::999999999999:policy/boundary",
    "atlantis:terraformStateBuckets": ["prod-terraform-state"],
    "atlantis:terraformStateKeyArns": [
        "arn:aws:kms:ap-northeast-2:999999999999:key/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
    ],
    "atlantis:webAclArn": "arn:aws:wafv2:ap-northeast-2:999999999999:regional/webacl/prod/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9",
    "atlantis:terraformLockTables": ["prod-terraform-locks"],
    "atlantis:alarmTopicArns": ["arn:aws:sns:ap-northeast-2:999999999999:platform-alarms"],
    **{
        f"atlantis:{key}": value
        for key, value in json.loads(
            json.dumps(MOVED).replace(":123456789012:", ":999999999999:").replace(REGION, "us-east-1")
        ).items()
    },
}


@pytest.fixture(scope="module")
def replaced(state: Path, aws: LocalAws) -> dict:
    """The settings with the substitutes' ids."""
    return ExistingResources(state, aws).replace("prod", SETTINGS)


def test_every_id_is_replaced_and_nothing_else(replaced: dict):
    changed = {key for key in SETTINGS if replaced[key] != SETTINGS[key]}

    assert changed == {
        "atlantis:vpcId",
        "atlantis:publicSubnetIds",
        "atlantis:privateSubnetIds",
        "atlantis:planWorkerSubnetIds",
        "atlantis:acmCertificateArn",
        "atlantis:hostedZoneId",
        "atlantis:permissionsBoundaryArn",
        "atlantis:terraformStateKeyArns",
        "atlantis:alarmTopicArns",
        "atlantis:webAclArn",
        *(f"atlantis:{key}" for key in MOVED),
    }
    assert {key: replaced[f"atlantis:{key}"] for key in MOVED} == MOVED
    assert set(replaced) == set(SETTINGS)


def test_the_network_has_two_zones_and_a_way_out(aws: LocalAws, replaced: dict):
    ec2 = aws.client("ec2")
    ways_out = {
        "publicSubnetIds": "GatewayId",
        "privateSubnetIds": "NatGatewayId",
        "planWorkerSubnetIds": "NatGatewayId",
    }
    for key, target in ways_out.items():
        subnets = ec2.describe_subnets(SubnetIds=replaced[f"atlantis:{key}"])["Subnets"]
        assert {subnet["VpcId"] for subnet in subnets} == {replaced["atlantis:vpcId"]}
        assert len({subnet["AvailabilityZone"] for subnet in subnets}) == 2
        for subnet in subnets:
            filters = [{"Name": "association.subnet-id", "Values": [subnet["SubnetId"]]}]
            (table,) = ec2.describe_route_tables(Filters=filters)["RouteTables"]
            (way_out,) = [route for route in table["Routes"] if route["DestinationCidrBlock"] == "0.0.0.0/0"]
            assert way_out.get(target)


def test_the_state_bucket_keeps_versions_under_the_key(aws: LocalAws, replaced: dict):
    s3 = aws.client("s3")
    (key,) = replaced["atlantis:terraformStateKeyArns"]

    encryption = s3.get_bucket_encryption(Bucket="prod-terraform-state")["ServerSideEncryptionConfiguration"]

    default = encryption["Rules"][0]["ApplyServerSideEncryptionByDefault"]
    assert (default["SSEAlgorithm"], default["KMSMasterKeyID"]) == ("aws:kms", key)
    assert aws.client("kms").describe_key(KeyId=key)["KeyMetadata"]["Arn"] == key
    assert s3.get_bucket_versioning(Bucket="prod-terraform-state")["Status"] == "Enabled"


def test_the_boundary_protects_the_stack_whatever_the_folder_of_its_sandbox_is_called(aws: LocalAws, replaced: dict):
    arn, iam = replaced["atlantis:permissionsBoundaryArn"], aws.client("iam")

    version = iam.get_policy_version(
        PolicyArn=arn, VersionId=iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    )

    assert ":service/atlantis-prod/*" in json.dumps(version["PolicyVersion"]["Document"])


@pytest.mark.usefixtures("replaced")
def test_an_orphan_and_a_missing_thing_are_told_apart(state: Path, aws: LocalAws):
    aws.client("logs").create_log_group(logGroupName="/orphan")
    gone = {"type": "aws:ec2/vpc:Vpc", "custom": True, "id": "vpc-gone"}

    comparison = inventory.compare(inventory.take(aws), [gone], ExistingResources(state, aws).ids)

    aws.client("logs").delete_log_group(logGroupName="/orphan")
    assert comparison.orphans == {"aws:cloudwatch/logGroup:LogGroup": {"/orphan"}}
    assert comparison.missing == {"aws:ec2/vpc:Vpc": {"vpc-gone"}}
    assert "/orphan exists, but isn't in the engine's state" in comparison.describe()


@pytest.mark.usefixtures("replaced")
def test_a_lost_substitute_is_created_again(state: Path, aws: LocalAws):
    aws.client("dynamodb").delete_table(TableName="prod-terraform-locks")
    existing = ExistingResources(state, aws)

    existing.forget_lost(inventory.take(aws))
    existing.replace("prod", SETTINGS)

    assert aws.client("dynamodb").list_tables()["TableNames"] == ["prod-terraform-locks"]


@pytest.mark.parametrize("kind", ["secret", "state bucket", "lock table", "permissions boundary", "topic"])
def test_what_a_killed_run_created_but_did_not_record_is_taken_up(
    state: Path, aws: LocalAws, replaced: dict, kind: str
):
    record = state / "existing-resources.json"
    made = json.loads(record.read_text(encoding="utf-8"))
    before = inventory.take(aws)
    unrecorded = {name: each for name, each in made.items() if not name.startswith(kind)}
    assert unrecorded != made
    record.write_text(json.dumps(unrecorded), encoding="utf-8")

    assert ExistingResources(state, aws).replace("prod", SETTINGS) == replaced

    assert json.loads(record.read_text(encoding="utf-8")) == made
    assert inventory.take(aws) == before


def test_other_subnets_of_the_same_vpc_get_free_ranges(state: Path, aws: LocalAws, replaced: dict):
    others = {"atlantis:publicSubnetIds": ["subnet-0a1b2c3d4e5f60715", "subnet-0a1b2c3d4e5f60716"]}
    found = ExistingResources(state, aws).replace("prod", SETTINGS | others)["atlantis:publicSubnetIds"]
    assert not set(found) & {*replaced["atlantis:publicSubnetIds"], *replaced["atlantis:privateSubnetIds"]}
    zones = aws.client("ec2").describe_subnets(SubnetIds=found)["Subnets"]
    assert len({subnet["AvailabilityZone"] for subnet in zones}) == 2
