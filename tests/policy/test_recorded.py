"""The program's own resources, as the real engine handed them over: no finding as they are, and one for a fault of each policy."""

import json
from dataclasses import replace
from typing import Any

import pytest

from policies.catalogue import RULES
from tests.policy.recording import CONFIGURATION, Recording, recorded
from tests.policy.rows import ABSENT, with_value
from tests.policy.servicer import Finding, Planned

REPORT = "evaluation-report"
_URN = "urn:pulumi:prod::atlantis::atlantis:index:Atlantis$atlantis:index:"
TAGS = {
    **{"Environment": "prod", "Service": "atlantis", "ManagedBy": "pulumi", "Project": "atlantis", "Team": "platform"},
    **{"Owner": "platform", "DataClass": "confidential"},
}


def _ingress(group: str, **properties: Any) -> Planned:
    """A further ingress rule of one of the stack's security groups."""
    given = {"securityGroupId": "sg-unlisted", "ipProtocol": "tcp", "fromPort": 443, "toPort": 443, "tags": TAGS}
    urn = f"{_URN}Network$aws:ec2/securityGroup:SecurityGroup::network-{group}"
    token = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
    return Planned(token, "added", {**given, **properties}, {"securityGroupId": (urn,)})


_SECOND = Planned(
    *("aws:ecs/service:Service", "added"),
    {
        **{"taskDefinition": "another revision", "desiredCount": 1, "tags": TAGS},
        **{"deploymentMaximumPercent": 100, "deploymentMinimumHealthyPercent": 0},
    },
    {"taskDefinition": (f"{_URN}Compute$aws:ecs/taskDefinition:TaskDefinition::compute-task",)},
)
_SCALING = Planned(
    *("aws:appautoscaling/target:Target", "added"),
    {"resourceId": "service/atlantis-prod/atlantis-prod", "maxCapacity": 3, "tags": TAGS},
)
_ADMIN = Planned(
    *("aws:iam/rolePolicy:RolePolicy", "added"),
    {"role": "x", "policy": json.dumps({"Statement": [{"Effect": "Allow", "Action": "iam:AttachRolePolicy", "Resource": "*"}]})},
    {"role": (f"{_URN}Permissions$aws:iam/role:Role::permissions-task-role",)},
)  # fmt: skip
# Resource, path (with |, what follows is inside of a JSON document), value, and exactly what must be found.
# Without a path, the resource is removed; a resource is added.
FAULTS: tuple[tuple[str | Planned, str, Any, str], ...] = (
    ("storage-efs", "encrypted", ABSENT, "encryption/at-rest"),
    ("storage-efs", "kmsKeyId", "alias/aws/elasticfilesystem", "encryption/customer-key"),
    ("secrets-key", "enableKeyRotation", False, "encryption/key-rotation"),
    ("secrets-key", "isEnabled", False, "encryption-stack/key-resolved"),
    ("ingress-https", "sslPolicy", ABSENT, "encryption/listener-tls"),
    ("ingress-http", "defaultActions[0].type", "forward", "encryption-stack/listener-tls"),
    ("ingress-access-logs-policy", "policy|Statement[1].Condition.Bool", {}, "encryption/plain-transport"),
    ("storage-efs-policy", "", None, "encryption-stack/transport-policy"),
    ("network-alb-https-from-203.0.113.0/24", "cidrIpv4", "128.0.0.0/1", "cidr-restriction/ranges"),
    ("ingress-allowed-0", "conditions[0].sourceIp.values[0]", "0.0.0.0/0", "cidr-restriction/ranges"),
    (_ingress("alb", cidrIpv4="0.0.0.0/0"), "", None, "cidr-restriction/ranges"),
    (_ingress("ecs-tasks", cidrIpv4="203.0.113.0/24"), "", None, "path-integrity/task-port"),
    (
        _ingress("efs", cidrIpv4="203.0.113.0/24", fromPort=2049, toPort=2049),
        "",
        None,
        "path-integrity/file-system-port",
    ),
    ("compute-service", "desiredCount", 2, "single-task/desired-count"),
    ("compute-service", "deploymentMaximumPercent", ABSENT, "single-task/maximum-percent"),
    ("compute-service", "deploymentConfiguration", {"strategy": "BLUE_GREEN"}, "single-task/rolling"),
    (_SECOND, "", None, "single-task/file-system"),
    (_SCALING, "", None, "single-task/autoscaling"),
    (Planned("aws:sns/topic:Topic", "added", {"tags": TAGS}), "", None, "encryption-advice/service-key"),
    ("compute-service", "networkConfiguration.assignPublicIp", True, "public-exposure/public-address"),
    ("ingress-alb", "dropInvalidHeaderFields", False, "hardening/header-fields"),
    ("compute-task", "containerDefinitions|[0].user", "0:0", "containers/non-root-user"),
    ("compute-logs", "retentionInDays", 0, "logging/retention"),
    ("ingress-alb", "enableDeletionProtection", False, "recovery/deletion-protection"),
    ("storage-efs", "tags.Owner", ABSENT, "required-tags/tags"),
    ("ingress-access-logs-public-access", "", None, "supporting-resources/public-access-block"),
    (
        *("compute-task", "containerDefinitions|[0].environment[0]", {"name": "DB_PASSWORD", "value": "correct horse"}),
        "secrets/plain-environment",
    ),
    (_ADMIN, "", None, "role-escalation/self-escalation"),
    (
        *("network-alb", "ingress", [{"protocol": "tcp", "fromPort": 443, "toPort": 443, "cidrBlocks": ["0.0.0.0/0"]}]),
        "cidr-restriction/ranges single-manager/inline-and-separate",
    ),
    (*("permissions-task-role", "assumeRolePolicy|Statement[0].Condition", ABSENT), "identity/trust"),
)


@pytest.fixture(scope="module")
def production() -> Recording:
    """The production stack, with every value known."""
    return recorded("preview")


def _found(findings: list[Finding]) -> set[tuple[str, str]]:
    return {(finding.policy, finding.check) for finding in findings if finding.policy != REPORT}


def test_program_as_it_is_has_no_finding_and_seven_exemptions_that_say_why(production: Recording) -> None:
    verbose = {**CONFIGURATION.get(REPORT, {}), "verbose": True}
    findings = production.review({**CONFIGURATION, REPORT: verbose})
    assert _found(findings) == set()
    assert [(finding.name, " is exempt from " in finding.message) for finding in findings] == [
        ("compute-task", True),
        ("log-archive", True),
        ("secrets-github-app", True),
        ("secrets-web-password", True),
        ("secrets-webhook", True),
        ("secrets-web-password", True),
        ("secrets-web-password", True),
    ]


def test_exemptions_of_the_program_are_all_used_and_one_message(production: Recording) -> None:
    (report,) = production.review(CONFIGURATION)
    assert report.message.splitlines()[1].startswith("7 findings exempt.")
    assert "suppressed no finding" not in report.message


def test_first_preview_has_no_finding_and_says_what_waits_for_values() -> None:
    findings = recorded("first_preview").review(CONFIGURATION)
    assert _found(findings) == set()
    (undecided,) = [finding for finding in findings if "Not evaluated" in finding.message]
    waiting = undecided.message.partition("deployed stack.\n")[2].splitlines()
    assert {line.partition(":")[0] for line in waiting} <= {
        "containers",
        "encryption",
        "identity",
        "logging",
        "public-exposure",
        "role-escalation",
        "secrets",
    }


def _broken(production: Recording, subject: str | Planned, path: str, value: Any) -> Recording:
    if isinstance(subject, Planned):
        return production.with_added(subject)
    if not path:
        return production.without(subject)
    outer, mark, inner = path.partition("|")

    def change(resource: Planned) -> Planned:
        if not mark:
            return replace(resource, properties=with_value(resource.properties, outer, value))
        root = {"document": json.loads(resource.properties[outer])}
        content = with_value(root, f"document{inner if inner.startswith('[') else f'.{inner}'}", value)["document"]
        return replace(resource, properties={**resource.properties, outer: json.dumps(content)})

    return production.changed(subject, change)


@pytest.mark.parametrize(
    ("subject", "path", "value", "expected"),
    FAULTS,
    ids=[f"{getattr(name, 'type', name)}-{path}-{found}" for name, path, _, found in FAULTS],
)
def test_fault_is_found_by_exactly_the_expected_policy(
    production: Recording, subject: str | Planned, path: str, value: Any, expected: str
) -> None:
    name = subject.name if isinstance(subject, Planned) else subject
    broken = _broken(production, subject, path, value)
    findings = broken.review(CONFIGURATION, name)
    assert {f"{policy}/{check}" for policy, check in _found(findings)} == set(expected.split())
    assert not [finding for finding in findings if "Not evaluated" in finding.message]
    # Without levels in the configuration, the policies that give the pack its name stop the deployment.
    unconfigured = {
        policy: {key: each for key, each in given.items() if key != "enforcementLevel"}
        for policy, given in CONFIGURATION.items()
    }
    levels = {finding.policy: finding.level for finding in broken.review(unconfigured, name)}
    for rule in RULES:
        if f"{rule.name}/" in expected:
            assert levels[rule.name] == rule.level


def test_faults_cover_every_policy() -> None:
    covered = {each.partition("/")[0] for *_, expected in FAULTS for each in expected.split()}
    assert covered == {rule.name for rule in RULES if not rule.fixes} - {REPORT, "exemption-limits"}
