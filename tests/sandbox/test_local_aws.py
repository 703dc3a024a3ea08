"""The local AWS as its clients find it: on the wire, and after a command that was killed while it started or stopped it."""

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from sandbox.testbed import local_aws, processes
from sandbox.testbed.engine.workspace import clean_environment
from sandbox.testbed.local_aws import LocalAws, instance
from tests.sandbox.harness import begin_to_stop

ANSWERS = 200


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[LocalAws]:
    yield local_aws.start(tmp_path, clean_environment())
    local_aws.stop(tmp_path)


@pytest.mark.parametrize("path", ["/_ministack/health", "/no-such-bucket/no-such-key"])
def test_an_answer_arrives_in_one_piece(aws: LocalAws, path: str):
    address = urlsplit(aws.endpoint)
    with socket.create_connection((address.hostname or "", address.port or 0), timeout=120) as connection:
        for _ in range(ANSWERS):
            connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode())

            head, _, body = connection.recv(1 << 16).partition(b"\r\n\r\n")

            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            assert len(body) == int(length.partition(b":")[2]) > 0


def test_a_large_object_is_whole(aws: LocalAws):
    aws.client("s3").create_bucket(Bucket="large", CreateBucketConfiguration={"LocationConstraint": aws.region})
    content = b"HTTP/1.1 200 OK\r\n" * (1 << 18)
    aws.client("s3").put_object(Bucket="large", Key="answers", Body=content)
    assert aws.client("s3").get_object(Bucket="large", Key="answers")["Body"].read() == content


def test_one_that_is_being_stopped_is_followed_by_one_with_its_state(aws: LocalAws, tmp_path: Path):
    aws.client("s3").create_bucket(Bucket="kept", CreateBucketConfiguration={"LocationConstraint": aws.region})
    begin_to_stop(tmp_path, instance.NAME)
    assert local_aws.running(tmp_path) is None

    found = local_aws.start(tmp_path, clean_environment())

    assert found.endpoint == aws.endpoint
    assert [bucket["Name"] for bucket in found.client("s3").list_buckets()["Buckets"]] == ["kept"]


def test_one_of_another_version_is_restarted_with_its_state(
    aws: LocalAws, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    aws.client("s3").create_bucket(Bucket="kept", CreateBucketConfiguration={"LocationConstraint": aws.region})
    old = processes.find(tmp_path, instance.NAME)
    assert local_aws.start(tmp_path, clean_environment()) == aws
    assert processes.find(tmp_path, instance.NAME) == old
    monkeypatch.setattr(instance, "_version", lambda: "newer")

    found = local_aws.start(tmp_path, clean_environment())

    assert processes.find(tmp_path, instance.NAME) != old
    assert found.endpoint == aws.endpoint
    assert [bucket["Name"] for bucket in found.client("s3").list_buckets()["Buckets"]] == ["kept"]


def test_one_that_does_not_answer_yet_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    def die(*_arguments: Any) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(instance, "_answers", die)
        with pytest.raises(KeyboardInterrupt):
            local_aws.start(tmp_path, clean_environment())
    begun = local_aws.running(tmp_path)

    found = local_aws.start(tmp_path, clean_environment())

    assert found == begun
    address = urlsplit(found.endpoint)
    socket.create_connection((address.hostname or "", address.port or 0), timeout=120).close()
    local_aws.stop(tmp_path)


def test_a_log_group_takes_a_key_after_its_creation(aws: LocalAws):
    logs, key = aws.client("logs"), aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    logs.create_log_group(logGroupName="group")

    logs.associate_kms_key(logGroupName="group", kmsKeyId=key)
    assert logs.describe_log_groups()["logGroups"][0]["kmsKeyId"] == key
    logs.disassociate_kms_key(logGroupName="group")
    assert "kmsKeyId" not in logs.describe_log_groups()["logGroups"][0]
    with pytest.raises(logs.exceptions.ResourceNotFoundException):
        logs.associate_kms_key(logGroupName="other", kmsKeyId=key)


def test_every_tag_that_a_call_names_is_removed_from_a_file_system(aws: LocalAws):
    efs = aws.client("efs")
    tags = [{"Key": key, "Value": "-"} for key in ("first", "second", "third")]
    system = efs.create_file_system(CreationToken="tags", Tags=tags)["FileSystemId"]
    efs.untag_resource(ResourceId=system, TagKeys=["first", "third"])
    assert [tag["Key"] for tag in efs.list_tags_for_resource(ResourceId=system)["Tags"]] == ["second"]


def test_an_update_of_a_service_keeps_what_it_does_not_name(aws: LocalAws):
    ecs = aws.client("ecs")
    ecs.create_cluster(clusterName="cluster")
    ecs.register_task_definition(family="family", containerDefinitions=[{"name": "c", "image": "i", "memory": 128}])
    percentages = {"minimumHealthyPercent": 0, "maximumPercent": 100}
    named = {"cluster": "cluster", "serviceName": "service", "taskDefinition": "family", "desiredCount": 0}
    ecs.create_service(**named, deploymentConfiguration=percentages, propagateTags="NONE")

    breaker = {"enable": True, "rollback": True}
    update = {"deploymentConfiguration": {"deploymentCircuitBreaker": breaker}, "propagateTags": "SERVICE"}
    ecs.update_service(cluster="cluster", service="service", enableECSManagedTags=True, **update)

    (found,) = ecs.describe_services(cluster="cluster", services=["service"])["services"]
    assert found["deploymentConfiguration"] == percentages | {"deploymentCircuitBreaker": breaker}
    assert (found["propagateTags"], found["enableECSManagedTags"]) == ("SERVICE", True)
