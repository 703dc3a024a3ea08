"""The life of the local stack on the real engine: deployed, looked at, changed, damaged, destroyed."""

import json
import os
import re
from pathlib import Path

import pytest

from sandbox.testbed.engine.stack import EngineError, EngineStack
from sandbox.testbed.engine.workspace import Workspace
from tests.sandbox.harness import SEED_OUTPUTS, URL_OUTPUTS, Scratch, last_changes, own_processes, resource


def test_up_deploys_what_the_local_aws_then_has(deployed: Scratch):
    sandbox = deployed.sandbox()

    assert sandbox.compare().describe() == ""
    service = sandbox.aws.client("ecs").describe_services(cluster="atlantis-local", services=["atlantis-local"])
    assert service["services"][0]["desiredCount"] == 1


def test_outputs_are_json_on_standard_output_and_nothing_else(deployed: Scratch):
    answer = deployed.cli("outputs")

    assert answer.returncode == 0, answer.stderr
    assert answer.stderr == ""
    outputs = json.loads(answer.stdout)
    assert set(outputs) == SEED_OUTPUTS | URL_OUTPUTS
    assert outputs["atlantis_ecs_cluster_name"] == "atlantis-local"
    assert outputs["atlantis_webhook_url"] == "https://atlantis.example.com/events"


def test_the_alarms_watch_what_is_deployed(deployed: Scratch) -> None:
    outputs, aws = deployed.sandbox().outputs(), deployed.sandbox().aws
    (balancer,) = aws.client("elbv2").describe_load_balancers()["LoadBalancers"]
    (certificate,) = aws.client("acm").list_certificates()["CertificateSummaryList"]
    dimensions = {
        "LoadBalancer": balancer["LoadBalancerArn"].partition("loadbalancer/")[2],
        "TargetGroup": outputs["atlantis_target_group_arn"].rpartition(":")[2],
        "CertificateArn": certificate["CertificateArn"],
        "ClusterName": outputs["atlantis_ecs_cluster_name"],
        "ServiceName": outputs["atlantis_ecs_service_name"],
        "FileSystemId": outputs["atlantis_efs_id"],
    }
    alarms = aws.client("cloudwatch").describe_alarms()["MetricAlarms"]
    watched = [(item["Name"], item["Value"]) for alarm in alarms for item in alarm["Dimensions"]]
    assert len(alarms) == 6
    assert sorted(set(watched)) == sorted(dimensions.items())


def test_an_alarm_that_goes_off_and_ends_is_heard_with_what_it_means(deployed: Scratch) -> None:
    aws = deployed.sandbox().aws
    cloudwatch, sqs = aws.client("cloudwatch"), aws.client("sqs")
    queue = sqs.get_queue_url(QueueName="local-alarms")["QueueUrl"]
    for state in ("ALARM", "OK"):
        cloudwatch.set_alarm_state(AlarmName="atlantis-local-unreachable", StateValue=state, StateReason="a test")
        (told,) = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5)["Messages"]
        said = json.loads(json.loads(told["Body"])["Message"])
        assert (said["AlarmName"], said["NewStateValue"]) == ("atlantis-local-unreachable", state)
        assert said["AlarmDescription"].startswith("No healthy task for five minutes")
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=told["ReceiptHandle"])


def test_a_second_up_changes_nothing_and_says_so(deployed: Scratch, capfd: pytest.CaptureFixture[str]):
    before = last_changes(deployed.sandbox())

    deployed.sandbox().up()

    assert last_changes(deployed.sandbox()) == before
    shown = capfd.readouterr().out
    (number,) = re.findall(r"^ *(\d+) unchanged", shown, re.MULTILINE)
    assert not [word for word in ("created", "updated", "replaced", "deleted") if f" {word}" in shown]
    assert f"local: {number} resources" in deployed.cli("status").stdout


def test_another_image_tag_and_port_change_service_and_rules_in_place(deployed: Scratch):
    sandbox = deployed.sandbox(imageTag="v0.48.0", containerPort=4242)
    kept = ("aws:ecs/service:Service", "aws:lb/targetGroup:TargetGroup")
    before = [resource(sandbox, type_)["id"] for type_ in kept]

    sandbox.up()

    ecs = sandbox.aws.client("ecs")
    (service,) = ecs.describe_services(cluster="atlantis-local", services=["atlantis-local"])["services"]
    definition = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
    assert definition["containerDefinitions"][0]["image"].endswith("/atlantis:v0.48.0")
    assert [balancer["containerPort"] for balancer in service["loadBalancers"]] == [4242]
    assert [resource(sandbox, type_)["id"] for type_ in kept] == before
    assert sandbox.compare().describe() == ""


def test_a_change_that_would_replace_what_is_protected_is_refused(deployed: Scratch, capfd: pytest.CaptureFixture[str]):
    repository = resource(deployed.sandbox(), "aws:ecr/repository:Repository")

    with pytest.raises(EngineError):
        deployed.sandbox(repositoryName="other").up()

    assert "protect" in capfd.readouterr().out
    deployed.sandbox().up()
    assert resource(deployed.sandbox(), "aws:ecr/repository:Repository")["id"] == repository["id"]
    assert deployed.sandbox().compare().describe() == ""


def test_refresh_finds_what_was_deleted_outside_and_up_brings_it_back(deployed: Scratch):
    sandbox = deployed.sandbox()
    group = resource(sandbox, "aws:cloudwatch/logGroup:LogGroup", "compute-logs")["id"]
    rule = resource(sandbox, "aws:lb/listenerRule:ListenerRule", _a_rule(deployed))
    sandbox.aws.client("logs").delete_log_group(logGroupName=group)
    sandbox.aws.client("elbv2").delete_rule(RuleArn=rule["id"])

    sandbox.refresh()

    ids = [item.get("id") for item in sandbox.resources()]
    assert group not in ids
    assert rule["id"] not in ids
    sandbox.up()
    assert resource(sandbox, "aws:cloudwatch/logGroup:LogGroup", "compute-logs")["id"] == group
    assert sandbox.compare().describe() == ""


def test_down_keeps_what_is_protected_and_up_uses_it_again(deployed: Scratch):
    sandbox = deployed.sandbox()
    file_system = resource(sandbox, "aws:efs/fileSystem:FileSystem")["id"]

    answer = deployed.cli("down")

    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "Kept" in answer.stderr
    assert "FORCE=1" in answer.stderr
    assert list(own_processes(deployed.base)) == []
    types = {item["type"] for item in sandbox.resources()}
    assert "aws:efs/fileSystem:FileSystem" in types
    assert "aws:ecs/service:Service" not in types
    sandbox.up()
    assert resource(sandbox, "aws:efs/fileSystem:FileSystem")["id"] == file_system
    assert sandbox.compare().describe() == ""


def test_roles_under_the_boundary_are_named_and_a_forced_down_detaches_it_and_leaves_nothing(deployed: Scratch):
    sandbox = deployed.sandbox()
    boundary = resource(sandbox, "aws:iam/policy:Policy", "permissions-boundary")["outputs"]["arn"]
    allowed = '{"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}'
    trust = f'{{"Version": "2012-10-17", "Statement": [{allowed}]}}'
    sandbox.aws.client("iam").create_role(
        RoleName="fileflow-api", AssumeRolePolicyDocument=trust, PermissionsBoundary=boundary
    )
    before = len(sandbox.resources())

    refused = deployed.cli("down")

    assert refused.returncode == 1
    assert "aws iam delete-role-permissions-boundary --role-name fileflow-api" in refused.stderr
    assert list(own_processes(deployed.base)) == []
    assert len(sandbox.resources()) == before
    forced = deployed.cli("down", "--force")
    assert forced.returncode == 0, forced.stdout + forced.stderr
    assert "Detached the permissions boundary from the roles that Terraform created: fileflow-api" in forced.stderr
    assert list(own_processes(deployed.base)) == []
    assert [path.name for path in deployed.state.iterdir()] == ["run.lock"]
    again = deployed.cli("down", "--force")
    assert again.returncode == 0, again.stderr


def _a_rule(scratch: Scratch) -> str:
    """The name of one of the listener's rules."""
    rules = [item for item in scratch.sandbox().resources() if item["type"] == "aws:lb/listenerRule:ListenerRule"]
    return rules[0]["urn"].rsplit("::", 1)[1]


@pytest.mark.parametrize("damaged", [b"{", b"{}\xff"], ids=["cut off", "overwritten"])
def test_a_damaged_state_is_taken_from_the_newest_whole_copy_whatever_the_files_times(tmp_path: Path, damaged: bytes):
    engine = tmp_path / "backend" / ".pulumi"
    copies = {
        "backups/tiny/local/local.1795000000000000001.json": "1",
        "history/tiny/local/local-1795000000000000003.checkpoint.json": '{"newest": 3}',
        "backups/tiny/local/local.1795000000000000002.json": "2",
        "history/tiny/local/local-1795000000000000004.checkpoint.json": '{"cut o',
        "history/tiny/other/other-1795000000000000005.checkpoint.json": "5",
    }
    for name, text in copies.items():
        file = engine / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        written = 1795000000000000000 - len(name)
        os.utime(file, ns=(written, written))

    state = engine / "stacks/tiny/local.json"
    state.parent.mkdir(parents=True)
    state.write_bytes(damaged)
    stack = EngineStack("local", Workspace(tmp_path, tmp_path))

    assert stack.restore()
    assert state.read_text() == '{"newest": 3}'
    assert state.with_name("local.json.damaged").read_bytes() == damaged
    assert not stack.restore()
