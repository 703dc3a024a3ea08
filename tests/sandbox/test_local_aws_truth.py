"""What the local AWS answers a role where it differs from AWS by nature: what it lacks, plain HTTP, resources of other forms."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox import local_aws
from sandbox.engine.workspace import clean_environment
from sandbox.local_aws import ACCOUNT, REGION, LocalAws, clients, instance
from sandbox.local_aws.unsupported_calls import CODE, LOG

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


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("truth")


@pytest.fixture(scope="module")
def aws(state: Path) -> Iterator[LocalAws]:
    yield local_aws.start(state, clean_environment())
    local_aws.stop(state)


class Role:
    """A role with one statement for each of ``allowed``, and what IAM was asked about it."""

    def __init__(self, aws: LocalAws, state: Path, name: str, allowed: Mapping[str, Sequence[str]]) -> None:
        self._aws, self._log, self._name = aws, state / instance.NAME / "iam-decisions.jsonl", name
        trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
        role = aws.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=_policy(trust))["Role"]
        statements = [
            {"Effect": "Allow", "Action": action, "Resource": list(resources)} for action, resources in allowed.items()
        ]
        aws.client("iam").put_role_policy(RoleName=name, PolicyName="allowed", PolicyDocument=_policy(*statements))
        self._credentials = aws.client("sts").assume_role(RoleArn=role["Arn"], RoleSessionName="test")["Credentials"]

    def client(self, service: str) -> Any:
        return clients.create(
            service,
            endpoint_url=self._aws.endpoint,
            region_name=REGION,
            aws_access_key_id=self._credentials["AccessKeyId"],
            aws_secret_access_key=self._credentials["SecretAccessKey"],
            aws_session_token=self._credentials["SessionToken"],
        )

    def asked(self) -> list[tuple[str, str]]:
        lines = map(json.loads, self._log.read_text(encoding="utf-8").splitlines())
        return [(line["action"], line["resource"]) for line in lines if f"/{self._name}/" in line["principal"]]


def _policy(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def refused(call: Any, **parameters: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as error:
        call(**parameters)
    return error.value.response["Error"]["Code"], error.value.response["Error"]["Message"]


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


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


def test_a_policy_that_denies_insecure_transport_does_not_deny_the_calls_of_the_sandbox(aws: LocalAws, state: Path):
    bucket = "transport"
    role = Role(aws, state, "writer", {"s3:*": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]})
    s3 = role.client("s3")
    s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"],
    }
    insecure = {"Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    s3.put_bucket_policy(Bucket=bucket, Policy=_policy({**deny, **insecure}))
    s3.put_object(Bucket=bucket, Key="a", Body=b"a")
    assert s3.get_bucket_policy(Bucket=bucket)["Policy"]
    # The opposite policy shows that the key is evaluated at all.
    secure = {"Condition": {"Bool": {"aws:SecureTransport": "true"}}}
    s3.put_bucket_policy(Bucket=bucket, Policy=_policy({**deny, "Action": "s3:PutObject", **secure}))
    assert refused(s3.put_object, Bucket=bucket, Key="a", Body=b"a")[0] == "AccessDenied"


def test_an_object_is_evaluated_by_the_evaluator_as_well(aws: LocalAws, state: Path):
    aws.client("s3").create_bucket(Bucket="objects", CreateBucketConfiguration={"LocationConstraint": REGION})
    role = Role(aws, state, "object-writer", {"s3:PutObject": ["arn:aws:s3:::objects/own/*"]})
    role.client("s3").put_object(Bucket="objects", Key="own/a", Body=b"a")
    assert refused(role.client("s3").put_object, Bucket="objects", Key="other/a", Body=b"a")[0] == "AccessDenied"
    assert role.asked() == [("s3:PutObject", f"arn:aws:s3:::objects/{key}") for key in ("own/a", "other/a")]


def test_a_queue_is_evaluated_on_its_own_arn(aws: LocalAws, state: Path):
    role = Role(aws, state, "queue-owner", {"sqs:*": [arn("sqs", "fileflow")]})
    queues = role.client("sqs")
    url = queues.create_queue(QueueName="fileflow")["QueueUrl"]
    queues.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "60"})
    queues.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
    queues.tag_queue(QueueUrl=url, Tags={"Service": "fileflow"})
    assert queues.list_queue_tags(QueueUrl=url)["Tags"] == {"Service": "fileflow"}
    queues.delete_queue(QueueUrl=url)
    assert {resource for _, resource in role.asked()} == {arn("sqs", "fileflow")}
    other = aws.client("sqs").create_queue(QueueName="other")["QueueUrl"]
    assert refused(queues.get_queue_attributes, QueueUrl=other, AttributeNames=["All"])[0].startswith("AccessDenied")


def test_a_table_is_evaluated_on_its_own_arn(aws: LocalAws, state: Path):
    role = Role(aws, state, "table-owner", {"dynamodb:*": [arn("dynamodb", "table/fileflow")]})
    tables = role.client("dynamodb")
    table = tables.create_table(
        TableName="fileflow",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
    )["TableDescription"]["TableArn"]
    tables.tag_resource(ResourceArn=table, Tags=[{"Key": "Service", "Value": "fileflow"}])
    assert tables.list_tags_of_resource(ResourceArn=table)["Tags"]
    tables.put_item(TableName="fileflow", Item={"id": {"S": "a"}})
    assert {resource for _, resource in role.asked()} == {arn("dynamodb", "table/fileflow")}
    assert refused(tables.describe_table, TableName="other")[0].startswith("AccessDenied")


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


@pytest.mark.parametrize(
    ("operation", "action"),
    [
        ("get_bucket_metadata_configuration", "s3:GetBucketMetadataTableConfiguration"),
        ("list_bucket_metrics_configurations", "s3:GetMetricsConfiguration"),
    ],
)
def test_a_configuration_of_buckets_that_the_local_aws_lacks_is_named(
    aws: LocalAws, state: Path, operation: str, action: str
):
    bucket = operation.replace("_", "-")
    aws.client("s3").create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": REGION})
    role = Role(aws, state, bucket, {action: [f"arn:aws:s3:::{bucket}"]})
    code, message = refused(getattr(role.client("s3"), operation), Bucket=bucket)
    assert (code, f"AWS would allow this call ({action})" in message) == (CODE, True)
    assert role.asked() == [(action, f"arn:aws:s3:::{bucket}")]


def test_a_key_is_created_with_tags(aws: LocalAws, state: Path):
    role = Role(aws, state, "key-owner", {"kms:CreateKey": ["*"], "kms:TagResource": [arn("kms", "key/*")]})
    role.client("kms").create_key(Tags=[{"TagKey": "Service", "TagValue": "a"}])
    assert role.asked() == [("kms:CreateKey", "*"), ("kms:TagResource", arn("kms", "key/unnamed"))]
    other = Role(aws, state, "key-creator", {"kms:CreateKey": ["*"]})
    assert (
        refused(other.client("kms").create_key, Tags=[{"TagKey": "Service", "TagValue": "a"}])[0]
        == "AccessDeniedException"
    )


def test_only_a_caller_that_may_list_its_key_learns_that_an_object_does_not_exist(aws: LocalAws, state: Path):
    aws.client("s3").create_bucket(Bucket="states", CreateBucketConfiguration={"LocationConstraint": REGION})
    role = Role(aws, state, "reader", {"s3:GetObject": ["arn:aws:s3:::states/*"]})
    listing = {
        "Effect": "Allow",
        "Action": "s3:ListBucket",
        "Resource": "arn:aws:s3:::states",
        "Condition": {"StringLike": {"s3:prefix": "own/*"}},
    }
    aws.client("iam").put_role_policy(RoleName="reader", PolicyName="list", PolicyDocument=_policy(listing))
    s3 = role.client("s3")
    for key, codes in (("own/absent", ("404", "NoSuchKey")), ("other/absent", ("403", "AccessDenied"))):
        calls = (s3.head_object, s3.get_object)
        assert tuple(refused(call, Bucket="states", Key=key)[0] for call in calls) == codes
    assert ("s3:ListBucket", "arn:aws:s3:::states") in role.asked()
    assert refused(aws.client("s3").get_object, Bucket="states", Key="other/absent")[0] == "NoSuchKey"


def test_a_bucket_returns_the_configurations_that_were_sent(aws: LocalAws, state: Path):
    aws.client("s3").create_bucket(Bucket="kept", CreateBucketConfiguration={"LocationConstraint": REGION})
    actions = [f"s3:{verb}{name}Configuration" for verb in ("Get", "Put") for name in ("Lifecycle", "Metrics")]
    s3 = Role(aws, state, "keeper", dict.fromkeys(actions, ("arn:aws:s3:::kept",))).client("s3")
    both = {"Prefix": "a/", "ObjectSizeGreaterThan": 5, "Tags": [{"Key": "a", "Value": "b"}]}
    rule = {
        "ID": "a",
        "Status": "Enabled",
        "Filter": {"And": both},
        "NoncurrentVersionExpiration": {"NoncurrentDays": 3},
    }
    size = {"TransitionDefaultMinimumObjectSize": "varies_by_storage_class"}
    s3.put_bucket_lifecycle_configuration(Bucket="kept", LifecycleConfiguration={"Rules": [rule]}, **size)
    shown = s3.get_bucket_lifecycle_configuration(Bucket="kept")
    assert (shown["Rules"], {name: shown[name] for name in size}) == ([rule], size)
    for identity in ("all", "other"):
        configuration = {"Id": identity, "Filter": {"Prefix": identity}}
        s3.put_bucket_metrics_configuration(Bucket="kept", Id=identity, MetricsConfiguration=configuration)
    s3.delete_bucket_metrics_configuration(Bucket="kept", Id="other")
    assert refused(s3.get_bucket_metrics_configuration, Bucket="kept", Id="other")[0] == "NoSuchConfiguration"
    metrics = s3.get_bucket_metrics_configuration(Bucket="kept", Id="all")["MetricsConfiguration"]
    assert metrics == {"Id": "all", "Filter": {"Prefix": "all"}}
    s3.delete_bucket_lifecycle(Bucket="kept")
    assert refused(s3.get_bucket_lifecycle_configuration, Bucket="kept")[0] == "NoSuchLifecycleConfiguration"


def test_a_bucket_returns_mfa_delete_and_who_pays_for_requests(aws: LocalAws):
    s3 = aws.client("s3")
    s3.create_bucket(Bucket="versions", CreateBucketConfiguration={"LocationConstraint": REGION})
    assert "MFADelete" not in s3.get_bucket_versioning(Bucket="versions")
    assert s3.get_bucket_request_payment(Bucket="versions")["Payer"] == "BucketOwner"
    s3.put_bucket_versioning(Bucket="versions", VersioningConfiguration={"Status": "Enabled", "MFADelete": "Disabled"})
    s3.put_bucket_request_payment(Bucket="versions", RequestPaymentConfiguration={"Payer": "Requester"})
    kept = s3.get_bucket_versioning(Bucket="versions")
    assert (kept["Status"], kept["MFADelete"]) == ("Enabled", "Disabled")
    assert s3.get_bucket_request_payment(Bucket="versions")["Payer"] == "Requester"
    s3.delete_bucket(Bucket="versions")
    s3.create_bucket(Bucket="versions", CreateBucketConfiguration={"LocationConstraint": REGION})
    assert "MFADelete" not in s3.get_bucket_versioning(Bucket="versions")
