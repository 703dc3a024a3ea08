"""Descriptions that AWS can't change, only replace: under their fixed names, a replacement fails."""

from tests.unit.stacks import REDIS, stack

GROUPS = {
    "network-alb": "Atlantis load balancer: HTTPS from the allowed ranges and from GitHub webhooks",
    "network-ecs-tasks": "Atlantis task: reached by its load balancer only",
    "network-efs": "Atlantis file system: reached by the Atlantis task only",
    "network-redis": "Atlantis locking database: reached by the Atlantis task only",
    "network-vpc-endpoints": "AWS service endpoints: HTTPS from the Atlantis task only",
}
SUBJECTS = (
    *("containers", "file-system", "load-balancers", "logs-and-secrets", "own-stack"),
    *("read", "roles", "security-groups", "state"),
)


def test_descriptions_of_security_groups_stay() -> None:
    groups = stack(**REDIS).all("aws:ec2/securityGroup:SecurityGroup")
    assert {group.name: group.inputs["description"] for group in groups} == GROUPS


def test_descriptions_of_the_task_role_s_policies_stay() -> None:
    graph = stack(terraformStateBuckets=["states"])
    assert {
        policy.name: policy.inputs["description"]
        for policy in graph.all("aws:iam/policy:Policy")
        if policy.name.startswith("permissions-task-")
    } == {f"permissions-task-{subject}": f"Atlantis prod: what Terraform may do ({subject})" for subject in SUBJECTS}
