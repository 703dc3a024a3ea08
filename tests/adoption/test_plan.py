"""The plan of an adoption: pairs, what is kept, proposed settings and sign-in, and what stands in the way."""

from typing import Any

import pytest

from adoption import files, report
from tests.adoption.plans import adopted, plan, proposed, small_plan
from tests.adoption.states import (
    ACCESS_POINT,
    ACCOUNT,
    ALB,
    BALANCER,
    EFS,
    FILE_SYSTEM,
    HTTP,
    HTTPS,
    REGION,
    SECRET_VALUE,
    TARGETS,
    TASKS,
    State,
    add,
    arn,
    container,
    find,
    small_state,
    wide_state,
    without,
)


def test_everything_that_both_sides_have_is_adopted_by_the_id_that_import_takes() -> None:
    assert files.section(small_plan().adopted)["import"] == {
        "compute-cluster": "atlantis",
        "compute-logs": "atlantis-logs",
        "compute-service": "atlantis/atlantis",
        "ingress-alb": BALANCER,
        "ingress-http": HTTP,
        "ingress-https": HTTPS,
        "ingress-targets": TARGETS,
        "network-alb": ALB,
        "network-alb-https-from-203.0.113.0/24": "sgr-0aa0bb0cc0dd0ee51",
        "network-alb-to-tasks-ingress": "sgr-0aa0bb0cc0dd0ee53",
        "network-ecs-tasks": TASKS,
        "network-efs": EFS,
        "network-tasks-to-efs-ingress": "sgr-0aa0bb0cc0dd0ee52",
        "storage-access-point": ACCESS_POINT,
        "storage-efs": FILE_SYSTEM,
        "storage-mount-target-eu-west-1a": "fsmt-0aa0bb0cc0dd0ee60",
        "storage-mount-target-eu-west-1b": "fsmt-0aa0bb0cc0dd0ee61",
    }


def test_what_cannot_change_without_a_replacement_keeps_its_old_value() -> None:
    assert files.section(small_plan().adopted)["keep"] == {
        "ingress-targets": ["name"],
        "network-alb": ["description", "name"],
        "network-alb-https-from-203.0.113.0/24": ["description"],
        "network-alb-to-tasks-ingress": ["description"],
        "network-ecs-tasks": ["description", "name"],
        "network-efs": ["description", "name"],
        "network-tasks-to-efs-ingress": ["description"],
        "storage-access-point": ["rootDirectory.creationInfo"],
    }


def test_addresses_do_not_matter() -> None:
    state = small_state()
    for number, entry in enumerate(state["resources"]):
        entry["name"], entry["module"] = f"r{number}", f"module.m{number % 3}"
    assert files.section(plan(state).adopted) == files.section(small_plan().adopted)


def test_the_settings_meet_the_running_stack() -> None:
    found = proposed(small_plan())
    assert {key: found[key] for key in found if not key.endswith("Ids")} == {
        "baseName": "atlantis",
        "logGroupName": "atlantis-logs",
        "logRetentionDays": 14,
        "vpcId": "vpc-0aa0bb0cc0dd0ee01",
        "vpcEndpoints": [],
        "acmCertificateArn": arn("acm", "certificate/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"),
        "sslPolicy": "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
        "hostedZoneId": None,
        "allowedCidrBlocks": ["203.0.113.0/24"],
        "efsEncryptionKey": "aws",
        "posixGid": 1000,
        "efsRootDirectory": "/atlantis",
        "githubAppSecretName": "atlantis-github",
        "webhookSecretName": "atlantis-webhook",
        "url": "https://atlantis.example.org",
        "repoAllowlist": "github.com/example/*",
        "cpu": 1024,
        "memory": 2048,
        "cpuArchitecture": "ARM64",
        "capacityProvider": "FARGATE_SPOT",
    }


def test_settings_that_meet_it_already_are_not_proposed() -> None:
    met = {key: value for key, value in proposed(small_plan()).items() if value is not None}
    assert proposed(plan(small_state(), **met, hostedZoneId="")) == {}


def test_a_value_that_the_settings_refuse_is_reported_and_not_proposed() -> None:
    found = small_plan()
    assert any("The repository is new and empty" in note for note in found.notes)
    assert "image" not in proposed(found)
    assert any("image = 'ghcr.io/runatlantis/atlantis:v0.35.0'" in note for note in found.notes)


@pytest.mark.parametrize(("tag", "proposes"), [("v0.48.0", "v0.48.0"), ("2025-11-20", "2025-11-20"), ("v0.30.0", None)])
def test_the_running_version_is_proposed_unless_the_program_is_for_a_newer_one(tag: str, proposes: str | None) -> None:
    state, url = small_state(), f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/atlantis"
    repository = {"id": "atlantis", "name": "atlantis", "repository_url": url, "image_tag_mutability": "MUTABLE"}
    add(state, "aws_ecr_repository.this", repository)
    find(state, "aws_ecs_task_definition.this")["container_definitions"] = container(image=f"{url}:{tag}")
    found = plan(state)
    assert proposed(found).get("imageTag") == proposes
    assert any(f"image {tag} runs, and this program is for v0.47.1 or newer" in note for note in found.notes) is (
        not proposes
    )
    assert adopted(found, "storage-repository").pair.import_id == "atlantis"
    assert not any("The repository is new and empty" in note for note in found.notes)


def test_roles_of_other_names_are_made_beside_the_old_ones() -> None:
    found = small_plan()
    assert set(found.pairing.renamed) == {"permissions-execution-role", "permissions-task-role"}
    assert "Delete the old one after the first `up`" in report.describe(found)


def test_an_endpoint_of_the_stack_is_adopted_and_keeps_who_reaches_it() -> None:
    state = small_state()
    endpoint = {
        "id": "vpce-0aa0bb0cc0dd0ee71",
        "vpc_id": "vpc-0aa0bb0cc0dd0ee01",
        "service_name": f"com.amazonaws.{REGION}.secretsmanager",
        "vpc_endpoint_type": "Interface",
        "private_dns_enabled": True,
        "policy": "",
        "subnet_ids": ["subnet-0aa0bb0cc0dd0ee21"],
        "security_group_ids": [TASKS, EFS],
    }
    add(state, "aws_vpc_endpoint.secrets", endpoint)
    found = plan(state)
    assert proposed(found)["vpcEndpoints"] == ["secretsmanager"]
    kept = adopted(found, "network-endpoint-secretsmanager")
    assert (kept.pair.import_id, sorted(kept.kept)) == (
        "vpce-0aa0bb0cc0dd0ee71",
        ["policy", "securityGroupIds", "subnetIds"],
    )


def test_a_key_of_the_stack_stays_the_file_system_s() -> None:
    state, key = small_state(), arn("kms", "key/11111111-2222-4333-8444-555555555555")
    attributes = {"id": key.rpartition("/")[2], "key_id": key.rpartition("/")[2], "arn": key, "description": "efs"}
    add(state, "aws_kms_key.this", attributes)
    found = plan(state)
    assert "efsEncryptionKey" not in proposed(found)
    assert adopted(found, "storage-efs-key").pair.import_id == key.rpartition("/")[2]
    assert not found.problems


def test_resources_of_other_providers_are_left_alone() -> None:
    state = small_state()
    add(state, "random_password.webhook", {"id": "none", "result": SECRET_VALUE})
    state["resources"][-1]["provider"] = 'provider["registry.terraform.io/hashicorp/random"]'
    text = report.describe(plan(state))
    assert "random_password.webhook\n      Belongs to another provider" in text


def test_no_value_of_a_secret_is_in_the_report() -> None:
    state = small_state()
    variables = ("ATLANTIS_API_SECRET", "ATLANTIS_GH_TOKEN", "ATLANTIS_WEBHOOK_NOTE", "TF_VAR_password")
    environment = [{"name": name, "value": SECRET_VALUE} for name in variables]
    find(state, "aws_ecs_task_definition.this")["container_definitions"] = container(environment=environment)
    text = report.describe(plan(state))
    assert "aws_secretsmanager_secret_version.github" in text
    assert all(f"lost: {name}" in text for name in variables)
    assert SECRET_VALUE not in text


def test_a_sensitive_attribute_is_named_without_its_values() -> None:
    state = small_state()
    entry = next(item for item in state["resources"] if item["type"] == "aws_lb_target_group")
    entry["instances"][0]["sensitive_attributes"] = [[{"type": "get_attr", "value": "deregistration_delay"}]]
    changes = {item.property: (item.old, item.new) for item in adopted(plan(state), "ingress-targets").changes}
    assert changes["deregistrationDelay"] == ("(sensitive)", "(sensitive)")


def test_an_internal_load_balancer_and_elastic_throughput_are_proposed() -> None:
    state = small_state()
    find(state, "aws_lb.this")["internal"] = True
    find(state, "aws_efs_file_system.this")["throughput_mode"] = "elastic"
    find(state, "aws_vpc_security_group_ingress_rule.alb_https")["cidr_ipv4"] = "10.0.0.0/8"
    subnets = ["subnet-0aa0bb0cc0dd0ee11", "subnet-0aa0bb0cc0dd0ee12"]
    find(state, "aws_ecs_task_definition.this")["container_definitions"] = container(environment=[])
    found = plan(
        state,
        publicSubnetIds=subnets,
        githubWebhookCidrBlocks=["10.1.0.0/16"],
        githubHostname="github.example.com",
        repoAllowlist="github.example.com/example/*",
    )
    assert (proposed(found)["loadBalancerScheme"], proposed(found)["efsThroughputMode"]) == ("internal", "elastic")
    assert not found.problems
    assert "throughputMode" not in {change.property for change in adopted(found, "storage-efs").changes}


def test_a_task_without_a_file_system_is_adopted_with_a_new_one() -> None:
    state = without(small_state(), "aws_efs_file_system", "aws_efs_access_point", "aws_efs_mount_target")
    find(state, "aws_ecs_task_definition.this")["volume"] = []
    found = plan(state)
    assert "storage-efs" in {wanted.name for wanted in found.new}
    assert any("mounts no file system" in note for note in found.notes)


@pytest.mark.parametrize(
    "change", [{"transit_encryption": "DISABLED"}, {"authorization_config": [{"access_point_id": ACCESS_POINT}]}]
)
def test_a_mount_that_the_file_system_policy_refuses_is_reported(change: dict[str, Any]) -> None:
    state = small_state()
    find(state, "aws_ecs_task_definition.this")["volume"][0]["efs_volume_configuration"][0] |= change
    assert any("stop the service before the first `up`" in note for note in plan(state).notes)
    assert not any("stop the service" in note for note in small_plan().notes)


def test_a_task_with_other_secrets_gets_empty_ones() -> None:
    state = small_state()
    find(state, "aws_ecs_task_definition.this")["container_definitions"] = container(secrets=[])
    found = plan(state)
    assert {"githubAppSecretName", "webhookSecretName"}.isdisjoint(proposed(found))
    assert sum("so the program creates one" in note for note in found.notes) == 2


def test_a_state_of_five_thousand_resources_is_searched_once_a_type() -> None:
    state = small_state()
    groups = [
        {"attributes": {"id": f"sg-{n:017x}", "name": f"g{n}", "vpc_id": "vpc-0aa0bb0cc0dd0ee01"}, "index_key": n}
        for n in range(5000)
    ]
    state["resources"].append({**state["resources"][0], "name": "many", "instances": groups})
    assert files.section(plan(state).adopted) == files.section(small_plan().adopted)


def test_a_cluster_that_terraform_stores_under_its_name_is_the_same_cluster() -> None:
    state = small_state()
    find(state, "aws_ecs_service.this")["cluster"] = "atlantis"
    found = plan(state)
    assert found.problems == []
    assert adopted(found, "compute-service").changes == adopted(small_plan(), "compute-service").changes


def test_resources_of_every_other_type_are_adopted_or_explained() -> None:
    endpoints = ("oidcAuthorizationEndpoint", "oidcTokenEndpoint", "oidcUserInfoEndpoint")
    provider = {name: f"https://login.example.com/{number}" for number, name in enumerate(endpoints)}
    found = plan(wide_state(), accepted=("right:*",), oidcClientSecretName="sign-in", **provider)
    assert {item.pair.wanted.name for item in found.adopted} - {
        item.pair.wanted.name for item in small_plan().adopted
    } == {
        *("ingress-alias-a", "ingress-web-acl", "ingress-webhook-0"),
        *("network-endpoint-logs", "network-endpoint-s3", "network-vpc-endpoints"),
        *("storage-backup", "storage-efs-key-alias", "storage-repository"),
    }
    left = {actual.type: advice for actual, advice in found.left}
    assert left.keys() >= {
        "aws_ecs_task_definition",
        "aws_iam_policy",
        "aws_iam_role_policy",
        "aws_security_group_rule",
    }
    assert all(advice for advice in left.values())
    # The rule has two ranges, and so no ID in the state, with which it could be imported.
    assert [problem.partition(":")[0] for problem in found.problems] == ["network-alb-https-from-198.51.100.0/24"]


OIDC = {
    "issuer": "https://login.example.com",
    "authorization_endpoint": "https://login.example.com/authorize",
    "token_endpoint": "https://login.example.com/token",
    "user_info_endpoint": "https://login.example.com/userinfo",
    "client_id": "atlantis",
    "client_secret": "not-for-anybodys-eyes",
    "scope": "openid email",
    "session_timeout": 28800,
}


def _signs_in(kind: str) -> State:
    state = small_state()
    actions = find(state, "aws_lb_listener.https")["default_action"]
    actions.insert(0, {"type": kind.replace("_", "-"), kind: [OIDC]})
    return state


def test_the_provider_at_which_users_sign_in_is_proposed_if_its_secret_has_a_name() -> None:
    found = plan(_signs_in("authenticate_oidc"), oidcClientSecretName="sign-in")
    assert {key: value for key, value in proposed(found).items() if key.startswith("oidc")} == {
        "oidcIssuer": OIDC["issuer"],
        "oidcAuthorizationEndpoint": OIDC["authorization_endpoint"],
        "oidcTokenEndpoint": OIDC["token_endpoint"],
        "oidcUserInfoEndpoint": OIDC["user_info_endpoint"],
        "oidcClientId": "atlantis",
        "oidcScope": "openid email",
        "oidcSessionHours": 8,
    }
    assert not found.problems
    assert OIDC["client_secret"] not in report.describe(found)


@pytest.mark.parametrize("kind", ["authenticate_oidc", "authenticate_cognito"])
def test_a_sign_in_is_not_lost_without_a_word(kind: str) -> None:
    (problem,) = plan(_signs_in(kind)).problems
    assert "sign-in: users sign in at" in problem
    assert plan(_signs_in(kind), accepted=("sign-in",)).problems == []
