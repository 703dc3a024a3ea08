"""What the local AWS answers a role that uses buckets, where it can't answer as AWS does: plain HTTP, and what it lacks."""

from pathlib import Path

import pytest

from sandbox.testbed.local_aws import REGION, LocalAws
from sandbox.testbed.local_aws.unsupported_calls import CODE
from tests.sandbox.limited_role import Role, policy, refused


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
    s3.put_bucket_policy(Bucket=bucket, Policy=policy({**deny, **insecure}))
    s3.put_object(Bucket=bucket, Key="a", Body=b"a")
    assert s3.get_bucket_policy(Bucket=bucket)["Policy"]
    # The opposite policy shows that the key is evaluated at all.
    secure = {"Condition": {"Bool": {"aws:SecureTransport": "true"}}}
    s3.put_bucket_policy(Bucket=bucket, Policy=policy({**deny, "Action": "s3:PutObject", **secure}))
    assert refused(s3.put_object, Bucket=bucket, Key="a", Body=b"a")[0] == "AccessDenied"


def test_an_object_is_evaluated_by_the_evaluator_as_well(aws: LocalAws, state: Path):
    aws.client("s3").create_bucket(Bucket="objects", CreateBucketConfiguration={"LocationConstraint": REGION})
    role = Role(aws, state, "object-writer", {"s3:PutObject": ["arn:aws:s3:::objects/own/*"]})
    role.client("s3").put_object(Bucket="objects", Key="own/a", Body=b"a")
    assert refused(role.client("s3").put_object, Bucket="objects", Key="other/a", Body=b"a")[0] == "AccessDenied"
    assert role.asked() == [("s3:PutObject", f"arn:aws:s3:::objects/{key}") for key in ("own/a", "other/a")]


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


def test_only_a_caller_that_may_list_its_key_learns_that_an_object_does_not_exist(aws: LocalAws, state: Path):
    aws.client("s3").create_bucket(Bucket="states", CreateBucketConfiguration={"LocationConstraint": REGION})
    role = Role(aws, state, "reader", {"s3:GetObject": ["arn:aws:s3:::states/*"]})
    listing = {
        "Effect": "Allow",
        "Action": "s3:ListBucket",
        "Resource": "arn:aws:s3:::states",
        "Condition": {"StringLike": {"s3:prefix": "own/*"}},
    }
    aws.client("iam").put_role_policy(RoleName="reader", PolicyName="list", PolicyDocument=policy(listing))
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
