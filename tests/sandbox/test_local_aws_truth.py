"""What the local AWS answers a role where it can't answer as AWS does: what it lacks, and resources of other forms."""

import json
from pathlib import Path

import pytest

from sandbox.testbed import local_aws
from sandbox.testbed.engine.workspace import clean_environment
from sandbox.testbed.local_aws import LocalAws, instance
from sandbox.testbed.local_aws.unsupported_calls import CODE, LOG
from tests.sandbox.limited_role import Role, arn, refused

ECS_SERVICE = {
    "ServiceNamespace": "ecs",
    "ResourceId": "service/fileflow/api",
    "ScalableDimension": "ecs:service:DesiredCount",
}
CPU = {
    "PolicyName": "cpu",
    "PolicyType": "TargetTrackingScaling",
    "TargetTrackingScalingPolicyConfiguration": {
        "TargetValue": 75.0,
        "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
    },
}


def test_a_service_that_the_local_aws_lacks_is_named_after_iam_allowed_the_call(aws: LocalAws, state: Path):
    role = Role(aws, state, "deployer", {"codedeploy:CreateApplication": [arn("codedeploy", "application:fileflow")]})
    code, message = refused(role.client("codedeploy").create_application, applicationName="fileflow")
    assert code == CODE
    assert message == "the local AWS has no codedeploy; AWS would allow this call (codedeploy:CreateApplication)"
    code, message = refused(role.client("codedeploy").create_application, applicationName="other")
    assert code.startswith("AccessDenied")
    assert role.asked() == [
        ("codedeploy:CreateApplication", arn("codedeploy", f"application:{name}")) for name in ("fileflow", "other")
    ]
    logged = [json.loads(line) for line in (state / instance.NAME / LOG).read_text(encoding="utf-8").splitlines()]
    assert logged == [{"service": "codedeploy", "action": "codedeploy:CreateApplication"}]


@pytest.mark.parametrize(
    ("operation", "action", "expected"),
    [
        ("describe_clusters", "redshift:DescribeClusters", CODE),  # the query protocol
        ("get_groups", "xray:GetGroups", CODE),  # REST with JSON
        ("describe_mac_hosts", "ec2:DescribeMacHosts", "InvalidAction"),  # EC2's protocol
    ],
)
def test_every_protocol_carries_the_answer(aws: LocalAws, state: Path, operation: str, action: str, expected: str):
    service = action.partition(":")[0]
    role = Role(aws, state, f"{service}-caller", {f"{service}:*": ["*"]})
    code, message = refused(getattr(role.client(service), operation))
    assert code == expected
    assert f"({action})" in message


def test_an_operation_that_a_service_of_the_local_aws_lacks_is_named(aws: LocalAws, state: Path):
    role = Role(aws, state, "balancer", {"elasticloadbalancing:*": ["*"]})
    code, message = refused(role.client("elbv2").get_trust_store_ca_certificates_bundle, TrustStoreArn="arn:x")
    assert code == "InvalidAction", "the code that clients tolerate in partitions without the operation"
    assert "has no GetTrustStoreCaCertificatesBundle" in message


def test_resources_in_the_path_of_a_request_are_evaluated(aws: LocalAws, state: Path):
    files = aws.client("efs").create_file_system(CreationToken="fileflow")["FileSystemId"]
    role = Role(aws, state, "file-owner", {"elasticfilesystem:*": [arn("elasticfilesystem", f"file-system/{files}")]})
    assert role.client("efs").describe_file_systems(FileSystemId=files)["FileSystems"]
    role.client("efs").put_lifecycle_configuration(FileSystemId=files, LifecyclePolicies=[])
    assert {resource for _, resource in role.asked()} == {arn("elasticfilesystem", f"file-system/{files}")}


def test_autoscaling_of_a_service_is_stored(aws: LocalAws, state: Path):
    role = Role(aws, state, "scaler", {"application-autoscaling:*": ["*"]})
    scaling = role.client("application-autoscaling")
    target = scaling.register_scalable_target(**ECS_SERVICE, MinCapacity=1, MaxCapacity=4, Tags={"Service": "fileflow"})
    scaling.register_scalable_target(**ECS_SERVICE, MaxCapacity=6)
    (found,) = scaling.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    assert (found["MinCapacity"], found["MaxCapacity"]) == (1, 6)
    assert scaling.list_tags_for_resource(ResourceARN=target["ScalableTargetARN"])["Tags"] == {"Service": "fileflow"}
    policy = scaling.put_scaling_policy(**ECS_SERVICE, **CPU)["PolicyARN"]
    assert [
        item["PolicyARN"] for item in scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"]
    ] == [policy]
    scaling.put_scheduled_action(
        **ECS_SERVICE,
        ScheduledActionName="night",
        Schedule="cron(0 0 * * ? *)",
        ScalableTargetAction={"MinCapacity": 0},
    )
    assert len(scaling.describe_scheduled_actions(ServiceNamespace="ecs")["ScheduledActions"]) == 1
    scaling.deregister_scalable_target(**ECS_SERVICE)
    assert scaling.describe_scaling_policies(ServiceNamespace="ecs")["ScalingPolicies"] == []
    assert refused(scaling.put_scaling_policy, **ECS_SERVICE, **CPU)[0] == "ObjectNotFoundException"
    assert {resource for _, resource in role.asked()} >= {arn("application-autoscaling", "scalable-target/unnamed")}


def test_autoscaling_survives_a_restart(tmp_path: Path):
    aws = local_aws.start(tmp_path, clean_environment())
    aws.client("application-autoscaling").register_scalable_target(**ECS_SERVICE, MinCapacity=1, MaxCapacity=4)
    local_aws.stop(tmp_path)
    aws = local_aws.start(tmp_path, clean_environment())
    found = aws.client("application-autoscaling").describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]
    local_aws.stop(tmp_path)
    assert [item["ResourceId"] for item in found] == [ECS_SERVICE["ResourceId"]]


def test_a_condition_on_the_query_string_is_returned(aws: LocalAws):
    balancers = aws.client("elbv2")
    network = aws.client("ec2").describe_vpcs()["Vpcs"][0]["VpcId"]
    subnets = [item["SubnetId"] for item in aws.client("ec2").describe_subnets()["Subnets"] if item["VpcId"] == network]
    balancer = balancers.create_load_balancer(Name="query", Subnets=subnets[:2])["LoadBalancers"][0]["LoadBalancerArn"]
    answer = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}
    listener = balancers.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=[answer])
    arn_of_listener = listener["Listeners"][0]["ListenerArn"]
    asked = {"Values": [{"Key": "video", "Value": "a"}, {"Value": "b"}]}
    condition = {"Field": "query-string", "QueryStringConfig": asked}
    balancers.create_rule(ListenerArn=arn_of_listener, Priority=1, Conditions=[condition], Actions=[answer])
    rules = balancers.describe_rules(ListenerArn=arn_of_listener)["Rules"]
    (shown,) = next(rule["Conditions"] for rule in rules if rule["Priority"] == "1")
    assert shown["QueryStringConfig"] == asked


def test_a_key_is_created_with_tags(aws: LocalAws, state: Path):
    role = Role(aws, state, "key-owner", {"kms:CreateKey": ["*"], "kms:TagResource": [arn("kms", "key/*")]})
    role.client("kms").create_key(Tags=[{"TagKey": "Service", "TagValue": "a"}])
    assert role.asked() == [("kms:CreateKey", "*"), ("kms:TagResource", arn("kms", "key/unnamed"))]
    other = Role(aws, state, "key-creator", {"kms:CreateKey": ["*"]})
    assert (
        refused(other.client("kms").create_key, Tags=[{"TagKey": "Service", "TagValue": "a"}])[0]
        == "AccessDeniedException"
    )


def test_a_hosted_zone_is_not_signed(aws: LocalAws) -> None:
    client = aws.client("route53")
    zone = client.create_hosted_zone(Name="unsigned.example.com", CallerReference="unsigned")["HostedZone"]["Id"]
    answer = client.get_dnssec(HostedZoneId=zone)
    assert (answer["Status"], answer["KeySigningKeys"]) == ({"ServeSignature": "NOT_SIGNING"}, [])
    client.delete_hosted_zone(Id=zone)
    with pytest.raises(client.exceptions.NoSuchHostedZone):
        client.get_dnssec(HostedZoneId=zone)


def test_the_deletion_and_the_change_of_an_alias_are_evaluated_on_its_keys(aws: LocalAws, state: Path):
    keys = aws.client("kms")
    first, second = (keys.create_key()["KeyMetadata"]["KeyId"] for _ in range(2))
    alias, resources = arn("kms", "alias/moved"), [arn("kms", f"key/{key}") for key in (first, second)]
    role = Role(aws, state, "alias-owner", {"kms:*Alias": [alias, *resources]})
    role.client("kms").create_alias(AliasName="alias/moved", TargetKeyId=first)
    role.client("kms").update_alias(AliasName="alias/moved", TargetKeyId=second)
    role.client("kms").delete_alias(AliasName="alias/moved")
    assert role.asked() == [
        *(("kms:CreateAlias", asked) for asked in (alias, resources[0])),
        *(("kms:UpdateAlias", asked) for asked in (alias, *resources)),
        *(("kms:DeleteAlias", asked) for asked in (alias, resources[1])),
    ]
    keys.create_alias(AliasName="alias/moved", TargetKeyId=first)
    other = Role(aws, state, "alias-only", {"kms:DeleteAlias": [alias]})
    assert refused(other.client("kms").delete_alias, AliasName="alias/moved")[0] == "AccessDeniedException"
