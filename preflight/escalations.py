"""What a malicious plan tries with the roles that it has or creates, as requests that `boundary.py` has IAM evaluate.

Each escalation has a control: the same or a similar action on a resource that Terraform manages. If the control is
denied as well, the action, the resource or a condition key is wrong, and the result proves nothing.
"""

from collections.abc import Mapping

from preflight.questions import Escalation, Question, Setting, Value

_ID = "0123456789abcdef"
_TASKS = "ecs-tasks.amazonaws.com"


def escalations(setting: Setting) -> list[Escalation]:
    """Every escalation, for this stack."""
    return [
        *_on_the_service(setting),
        *_on_the_network(setting),
        *_on_roles(setting),
        *_on_data(setting),
    ]


def _on_the_service(setting: Setting) -> list[Escalation]:
    names, prefix = setting.names, setting.prefix
    own = {"ecs:cluster": names.cluster_arn}
    managed = {"ecs:cluster": names.arn("ecs", f"cluster/{prefix}api")}

    def balancing(name: str, attack: str, action: str, kind: str, rest: str = "") -> Escalation:
        return Escalation(
            name,
            attack,
            Question(
                f"elasticloadbalancing:{action}",
                names.arn("elasticloadbalancing", f"{kind}/app/{names.base}/{_ID}{rest}"),
            ),
            Question(
                f"elasticloadbalancing:{action}",
                names.arn("elasticloadbalancing", f"{kind}/app/{prefix}api/{_ID}{rest}"),
            ),
        )

    return [
        Escalation(
            "service-update",
            "run another task definition in Atlantis' service",
            Question("ecs:UpdateService", names.arn("ecs", f"service/{names.cluster}/{names.base}"), own),
            Question("ecs:UpdateService", names.arn("ecs", f"service/{prefix}api/{prefix}api"), managed),
        ),
        Escalation(
            "service-beside",
            "run its own service in Atlantis' cluster",
            Question("ecs:CreateService", names.arn("ecs", f"service/{names.cluster}/{prefix}api"), own),
            Question("ecs:CreateService", names.arn("ecs", f"service/{prefix}api/{prefix}api"), managed),
        ),
        Escalation(
            "task-definition",
            "register another definition of Atlantis' task",
            Question("ecs:RegisterTaskDefinition", names.arn("ecs", f"task-definition/{names.base}:99")),
            Question("ecs:RegisterTaskDefinition", names.arn("ecs", f"task-definition/{prefix}api:99")),
        ),
        Escalation(
            "shell",
            "open a shell in Atlantis' task",
            Question("ecs:ExecuteCommand", names.arn("ecs", f"task/{names.cluster}/{_ID}")),
            Question("ecs:CreateService", names.arn("ecs", f"service/{prefix}api/{prefix}api"), managed),
        ),
        Escalation(
            "repository-policy",
            "open the repository of Atlantis' image",
            Question("ecr:SetRepositoryPolicy", names.repository_arn),
            Question("ecr:SetRepositoryPolicy", names.arn("ecr", f"repository/{prefix}api")),
        ),
        balancing("listener", "forward every request to Atlantis", "ModifyListener", "listener", f"/{_ID}"),
        balancing("listener-rule", "add a listener rule that allows everyone", "CreateRule", "listener", f"/{_ID}"),
        balancing(
            "load-balancer-groups", "move the load balancer into other groups", "SetSecurityGroups", "loadbalancer"
        ),
        Escalation(
            "targets",
            "register its own target to answer for Atlantis",
            Question(
                "elasticloadbalancing:RegisterTargets",
                names.arn("elasticloadbalancing", f"targetgroup/{names.target_group}/{_ID}"),
            ),
            Question(
                "elasticloadbalancing:RegisterTargets",
                names.arn("elasticloadbalancing", f"targetgroup/{prefix}api/{_ID}"),
            ),
        ),
        Escalation(
            "log",
            "delete Atlantis' log",
            Question("logs:DeleteLogGroup", names.log_group_arn),
            Question("logs:DeleteLogGroup", names.arn("logs", f"log-group:/ecs/{prefix}api")),
        ),
    ]


def _on_the_network(setting: Setting) -> list[Escalation]:
    names, prefix = setting.names, setting.prefix
    group = names.arn("ec2", f"security-group/sg-{_ID}0")
    service = names.arn("ecs", f"service/{prefix}api/{prefix}api")
    cluster = {"ecs:cluster": names.arn("ecs", f"cluster/{prefix}api")}
    found = [
        Escalation(
            "open-group",
            "open Atlantis' security groups",
            Question("ec2:AuthorizeSecurityGroupIngress", group, {"aws:ResourceTag/Service": "atlantis"}),
            Question("ec2:AuthorizeSecurityGroupIngress", group, {"aws:ResourceTag/Service": "api"}),
        ),
        Escalation(
            "public-service",
            "run a service with a public address",
            Question("ecs:CreateService", service, cluster | {"ecs:auto-assign-public-ip": "true"}),
            Question("ecs:CreateService", service, cluster | {"ecs:auto-assign-public-ip": "false"}),
        ),
    ]
    balancer = names.arn("elasticloadbalancing", f"loadbalancer/app/{prefix}api/{_ID}")
    for of, identity in setting.security_group_ids.items():
        found += [
            Escalation(
                f"other-group-{of}",
                f"put its own load balancer into Atlantis' security group {names.security_group(of)}",
                Question(
                    "elasticloadbalancing:CreateLoadBalancer",
                    balancer,
                    {"elasticloadbalancing:SecurityGroup": [f"sg-{_ID}0", identity]},
                ),
                Question(
                    "elasticloadbalancing:CreateLoadBalancer",
                    balancer,
                    {"elasticloadbalancing:SecurityGroup": [f"sg-{_ID}0"]},
                ),
            )
        ]
    if setting.subnet_ids:
        found += [
            Escalation(
                "other-subnet",
                "run a service in Atlantis' subnets, where it can be in Atlantis' security groups",
                Question("ecs:CreateService", service, cluster | {"ecs:subnet": [setting.subnet_ids[0]]}),
                Question("ecs:CreateService", service, cluster | {"ecs:subnet": [f"subnet-{_ID}0"]}),
            ),
            Escalation(
                "task-without-keys",
                "run a task in Atlantis' subnets with RunTask, which has no condition key for subnets",
                Question("ecs:RunTask", names.arn("ecs", f"task-definition/{prefix}api:1"), cluster),
                Question("ecs:RegisterTaskDefinition", names.arn("ecs", f"task-definition/{prefix}api:1")),
            ),
        ]
    return found


def _on_roles(setting: Setting) -> list[Escalation]:
    names, prefix = setting.names, setting.prefix
    bound = {"iam:PermissionsBoundary": setting.boundary_arn}
    own = bound if setting.own_boundary else {}
    worker = names.role_arn(f"{prefix}worker")
    foreign = names.role_arn(names.task_role.removesuffix(names.environment) + "another")

    def on_role(name: str, attack: str, action: str, role: str, keys: Mapping[str, Value] | None = None) -> Escalation:
        asked = own if keys is None else keys
        return Escalation(
            name,
            attack,
            Question(f"iam:{action}", role, asked),
            Question(f"iam:{action}", worker, bound),
            on_roles=True,
        )

    return [
        on_role("deny-policies", "detach the task role's Deny policies", "DetachRolePolicy", names.task_role_arn),
        on_role("task-role-policy", "add permissions to the task role", "PutRolePolicy", names.task_role_arn),
        on_role(
            "execution-role-policy", "add permissions to the execution role", "PutRolePolicy", names.execution_role_arn
        ),
        on_role(
            "execution-role-trust", "assume the execution role", "UpdateAssumeRolePolicy", names.execution_role_arn
        ),
        on_role("other-environment", "add permissions to the role of another environment", "PutRolePolicy", foreign),
        on_role("unbound-role", "create a role without the boundary", "CreateRole", worker, {}),
        on_role(
            "other-boundary",
            "create a role with another boundary",
            "CreateRole",
            worker,
            {"iam:PermissionsBoundary": names.aws_policy_arn("AdministratorAccess")},
        ),
        on_role("unbound-role-policy", "add permissions to a role without a boundary", "PutRolePolicy", worker, {}),
        on_role("unbound-role-trust", "assume a role without a boundary", "UpdateAssumeRolePolicy", worker, {}),
        Escalation(
            "boundary-removed",
            "remove the boundary of a role",
            Question("iam:DeleteRolePermissionsBoundary", worker, bound),
            Question("iam:PutRolePolicy", worker, bound),
            on_roles=True,
        ),
        Escalation(
            "boundary-replaced",
            "replace the boundary of a role",
            Question(
                "iam:PutRolePermissionsBoundary",
                worker,
                {"iam:PermissionsBoundary": names.aws_policy_arn("AdministratorAccess")},
            ),
            Question("iam:PutRolePolicy", worker, bound),
            on_roles=True,
        ),
        Escalation(
            "boundary-changed",
            "change the boundary itself",
            Question("iam:CreatePolicyVersion", setting.boundary_arn),
            Question("iam:PutRolePolicy", worker, bound),
            on_roles=True,
        ),
        Escalation(
            "pass-execution-role",
            "pass the execution role to its own task, and read Atlantis' secrets there",
            Question("iam:PassRole", names.execution_role_arn, {"iam:PassedToService": _TASKS}),
            Question("iam:PassRole", worker, {"iam:PassedToService": _TASKS}),
            on_roles=True,
        ),
        Escalation(
            "pass-elsewhere",
            "pass a role to a service other than ECS",
            Question("iam:PassRole", worker, {"iam:PassedToService": "lambda.amazonaws.com"}),
            Question("iam:PassRole", worker, {"iam:PassedToService": _TASKS}),
            on_roles=True,
        ),
        Escalation(
            "user",
            "create a user, which needs no boundary",
            Question("iam:CreateUser", f"arn:{names.partition}:iam::{names.account}:user/{prefix}user"),
            Question("iam:CreateRole", worker, bound),
            on_roles=True,
        ),
    ]


def _on_data(setting: Setting) -> list[Escalation]:
    names, prefix = setting.names, setting.prefix
    control = Question("secretsmanager:GetSecretValue", names.arn("secretsmanager", f"secret:{prefix}database-AbCdEf"))
    return [
        Escalation(
            f"secret-{of}",
            f"read Atlantis' secret {arn.rpartition(':')[2]}",
            Question("secretsmanager:GetSecretValue", arn),
            control,
        )
        for of, arn in setting.secret_arns.items()
    ]
