"""With credentials, what runs is read from AWS: another revision than the state's, and policies that the state doesn't have."""

import json
from pathlib import Path
from typing import Any

import pytest

from adoption.plan import Plan, make_plan
from adoption.task_inventory import LOST
from preflight.aws import Aws
from preflight.errors import FailedError
from tests.adoption.plans import results
from tests.adoption.states import (
    ACCESS_POINT,
    ACCOUNT,
    FILE_SYSTEM,
    REGION,
    ROLE,
    SETTINGS,
    TASK,
    container,
    document,
    role_arn,
    small_state,
    write,
)

RUNNING = TASK.replace(":12", ":13")
EFS = {
    "fileSystemId": FILE_SYSTEM,
    "transitEncryption": "ENABLED",
    "authorizationConfig": {"accessPointId": ACCESS_POINT, "iam": "ENABLED"},
}


def _answers() -> dict[str, dict[str, Any]]:
    """The responses of AWS, by operation. The running revision has one variable and 30 GiB more than the state's."""
    environment = [*json.loads(container())[0]["environment"], {"name": "ATLANTIS_AUTOMERGE", "value": "true"}]
    task: dict[str, Any] = {"taskDefinitionArn": RUNNING, "family": "atlantis", "revision": 13}
    task |= {"cpu": "1024", "memory": "2048", "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"]}
    task |= {"taskRoleArn": role_arn(ROLE), "executionRoleArn": role_arn("atlantis-execution-0123")}
    task |= {"runtimePlatform": {"cpuArchitecture": "ARM64"}, "ephemeralStorage": {"sizeInGiB": 50}}
    task |= {"volumes": [{"name": "data", "efsVolumeConfiguration": EFS}]}
    policy, everything = "arn:aws:iam::aws:policy/IAMFullAccess", json.loads(document(["sqs:SendMessage", "sns:*"]))
    return {
        "get_caller_identity": {"Account": ACCOUNT},
        "describe_services": {"services": [{"taskDefinition": RUNNING}]},
        "describe_task_definition": {
            "taskDefinition": task | {"containerDefinitions": json.loads(container(environment=environment))}
        },
        "list_role_policies": {"PolicyNames": ["jobs"]},
        "get_role_policy": {"PolicyDocument": json.loads(document("glue:*"))},
        "list_attached_role_policies": {"AttachedPolicies": [{"PolicyArn": policy}]},
        "get_policy": {"Policy": {"DefaultVersionId": "v5"}},
        "get_policy_version": {"PolicyVersion": {"Document": everything}},
        "simulate_principal_policy": {"EvaluationResults": [{"EvalDecision": "implicitDeny"}]},
    }


class _Answering(Aws):
    def __init__(self, answers: dict[str, dict[str, Any]]) -> None:
        super().__init__(REGION)
        self.answers = answers

    def read(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """The response to an operation, whatever its parameters."""
        del service, parameters
        if operation not in self.answers:
            raise FailedError("there are no AWS credentials in this environment")
        return self.answers[operation]


def _plan(folder: Path, answers: dict[str, dict[str, Any]]) -> Plan:
    return make_plan(write(folder, small_state()), "prod", SETTINGS, REGION, aws=_Answering(answers))


def test_the_running_revision_and_the_policies_of_its_role_are_those_that_count(tmp_path: Path) -> None:
    found = _plan(tmp_path, _answers())
    assert {item.name for item in found.task if item.result == LOST} == {"ATLANTIS_AUTOMERGE"}
    assert {proposal.key: proposal.value for proposal in found.proposals}["ephemeralStorage"] == 50
    assert "volume:data" not in {item.name for item in found.task}
    # A boundary denies sqs:SendMessage, says the simulation; an action with a wildcard can't be simulated.
    assert (results(found)["right:glue"], results(found)["right:sns"], results(found)["right:sqs"]) == (
        LOST,
        LOST,
        "kept",
    )
    assert any(note.startswith(f"AWS was read: {RUNNING} runs") for note in found.notes)
    assert not [note for note in found.notes if "which this report calls the running one" in note]
    assert found.to_forget == make_plan(write(tmp_path, small_state()), "prod", SETTINGS, REGION).to_forget


def test_a_value_that_only_a_request_has_leaves_the_right_lost(tmp_path: Path) -> None:
    missing = {"EvalDecision": "implicitDeny", "MissingContextValues": ["aws:SourceVpc"]}
    answers = _answers() | {"simulate_principal_policy": {"EvaluationResults": [missing]}}
    assert results(_plan(tmp_path, answers))["right:sqs"] == LOST


def test_a_refused_simulation_leaves_the_rights_lost_and_is_noted_once(tmp_path: Path) -> None:
    answers = _answers()
    del answers["simulate_principal_policy"]
    answers["get_policy_version"] = {
        "PolicyVersion": {"Document": json.loads(document(["sqs:SendMessage", "sns:Publish"]))}
    }
    found = _plan(tmp_path, answers)
    assert (results(found)["right:sns"], results(found)["right:sqs"]) == (LOST, LOST)
    assert sum(note.startswith("IAM's simulation of the running role failed (") for note in found.notes) == 1


def test_a_profile_that_does_not_exist_leaves_aws_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "missing")
    found = make_plan(write(tmp_path, small_state()), "prod", SETTINGS, REGION, aws=Aws(REGION))
    assert [note for note in found.notes if note.startswith("AWS wasn't read (") and "(missing)" in note]


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        ({}, "there are no AWS credentials in this environment"),
        ({"get_caller_identity": {"Account": "1"}}, "the credentials are of the account 1"),
        (_answers() | {"describe_services": {"services": []}}, "the cluster atlantis has no service atlantis"),
    ],
)
def test_it_is_said_that_aws_was_not_read(tmp_path: Path, answers: dict[str, dict[str, Any]], reason: str) -> None:
    found = _plan(tmp_path, answers)
    assert any(note.startswith(f"AWS wasn't read ({reason}). The state's {TASK} is taken for") for note in found.notes)
    assert found.problems == []
