"""The plan of an adoption: pairs, what is kept, proposed settings and sign-in, and what stands in the way."""

from adoption import files, report
from tests.adoption.plans import adopted, plan, proposed, small_plan
from tests.adoption.states import (
    ACCESS_POINT,
    ALB,
    BALANCER,
    EFS,
    FILE_SYSTEM,
    HTTP,
    HTTPS,
    SECRET_VALUE,
    TARGETS,
    TASKS,
    add,
    arn,
    container,
    find,
    small_state,
    wide_state,
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


def test_roles_of_other_names_are_made_beside_the_old_ones() -> None:
    found = small_plan()
    assert set(found.pairing.renamed) == {"permissions-execution-role", "permissions-task-role"}
    assert "Delete the old one after the first `up`" in report.describe(found)


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


def test_a_state_of_five_thousand_resources_is_searched_once_a_type() -> None:
    state = small_state()
    groups = [
        {"attributes": {"id": f"sg-{n:017x}", "name": f"g{n}", "vpc_id": "vpc-0aa0bb0cc0dd0ee01"}, "index_key": n}
        for n in range(5000)
    ]
    state["resources"].append({**state["resources"][0], "name": "many", "instances": groups})
    assert files.section(plan(state).adopted) == files.section(small_plan().adopted)


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
