"""The roles of the workflows, as far as their documents alone show: who may assume them, and what none of them may."""

import json
import re

import pytest

from components.names import PhysicalNames
from components.settings.workers import ROLES
from tests.aws_roles import ACCOUNT, PARAMETERS, REGION, REPOSITORY, actions_of, policies_of, resources
from tests.tables import table

READS = re.compile(r"\w+(-\w+)*:(Describe|Get|List)\w*")
ENVIRONMENTS = {"Preview": "preview", "Drift": "drift", "Deploy": "production"}
STORES = set(table(__file__, "stores"))


@pytest.mark.parametrize("role", ENVIRONMENTS)
def test_a_role_is_assumed_from_one_environment_of_the_repository_only(role: str) -> None:
    (statement,) = resources("AWS::IAM::Role")[f"{role}Role"]["AssumeRolePolicyDocument"]["Statement"]
    assert statement == {
        "Effect": "Allow",
        "Principal": {"Federated": "Provider"},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {
            "StringEquals": {
                "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
                "token.actions.githubusercontent.com:sub": f"repo:{REPOSITORY}:environment:{ENVIRONMENTS[role]}",
            }
        },
    }


@pytest.mark.parametrize("role", ENVIRONMENTS)
def test_terraform_has_no_power_over_a_role_of_the_workflows(role: str) -> None:
    """The task role manages names that begin with atlantis-."""
    assert resources("AWS::IAM::Role")[f"{role}Role"]["RoleName"].startswith("github-atlantis-prod-")


def test_the_roles_of_a_second_region_reach_that_region_s_iam_names_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(PARAMETERS, "RegionSuffix", "-us-east-1")
    names = PhysicalNames(
        environment="prod", account=ACCOUNT, region="us-east-1", partition="aws", regional_iam_names=True
    )
    own = {
        *(names.task_role, names.execution_role, names.drift_role, *map(names.terraform_role, ROLES)),
        *(names.log_archive_role, names.log_delivery_role, names.backup_role, *map(names.worker_role, ROLES)),
    }
    named = {
        resource.partition("/")[2].removesuffix("-*")
        for document in policies_of("Deploy").values()
        for statement in document["Statement"]
        for resource in [statement["Resource"]] * isinstance(statement["Resource"], str) or statement["Resource"]
        if re.search(r":iam::\d+:(role|policy)/atlantis-ecs-task", resource)
    }
    assert named == own
    assert {role["RoleName"].rpartition("-prod-")[2] for role in resources("AWS::IAM::Role").values()} == {
        f"us-east-1-{use}" for use in ("preview", "drift", "deploy")
    }


@pytest.mark.parametrize("role", ["Preview", "Drift"])
def test_a_role_that_reads_only_reads(role: str) -> None:
    assert {action for action in actions_of(role) if not READS.fullmatch(action)} == {"kms:Decrypt"}


def test_a_preview_reads_no_secret_but_that_of_the_sign_in() -> None:
    statements = [statement for document in policies_of("Preview").values() for statement in document["Statement"]]
    readable = [one["Resource"] for one in statements if "secretsmanager:GetSecretValue" in one["Action"]]
    secret = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:prod-atlantis-oidc"
    assert readable == [[secret, f"{secret}-??????"]]


def test_a_deployment_deletes_nothing_that_holds_data() -> None:
    assert actions_of("Deploy") & STORES == set()


@pytest.mark.parametrize("role", ENVIRONMENTS)
def test_the_documents_fit_into_iam_s_limits(role: str) -> None:
    documents = policies_of(role).values()
    assert len(documents) <= 10
    # https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html: white space doesn't count.
    assert max(len(json.dumps(document, separators=(",", ":"))) for document in documents) <= 6144
    for document in documents:
        sids = [statement["Sid"] for statement in document["Statement"]]
        assert len(set(sids)) == len(sids)
        assert not [action for statement in document["Statement"] for action in statement["Action"] if "*" in action]
