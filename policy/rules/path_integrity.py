"""path-integrity: requests reach a task only through its load balancer, and files only through tasks."""

from typing import Final

from rules.configuration import Option
from rules.group_users import GroupUsers, Guarded
from rules.resources import Stack
from rules.rule import Findings, Rule
from rules.security_groups import RULE_TYPES, Ingress, Source, ingress_of
from rules.values import UNKNOWN, truth

__all__ = ["RULE"]

NFS: Final = 2049
_BALANCER: Final = "lb/loadBalancer"
_COMPUTE: Final = frozenset(
    {
        "ecs/service",
        "ecs/taskSet",
        "ec2/instance",
        "ec2/launchTemplate",
        "autoscaling/group",
        "lambda/function",
        "eks/nodeGroup",
        "eks/cluster",
        "batch/computeEnvironment",
        "datasync/efsLocation",
    }
)


def _check(stack: Stack, findings: Findings) -> None:
    users = GroupUsers(stack)
    for carrier in stack.of(*RULE_TYPES):
        for ingress in ingress_of(carrier):
            guarded = users.guarded(ingress)
            for source in ingress.sources:
                if guarded.balanced_task and not guarded.load_balancer:
                    _into_task(users, ingress, source, findings)
                if guarded.file_system and ingress.opens(NFS):
                    _into_file_system(users, ingress, source, guarded, findings)
    if findings.settings.flag("requireWebAcl"):
        _web_acls(stack, findings)


def _web_acls(stack: Stack, findings: Findings) -> None:
    guarded: set[str] = set()
    undecided = False
    for association in stack.of("wafv2/webAclAssociation", "wafregional/webAclAssociation"):
        balancers = stack.linked(association, "resourceArn", _BALANCER)
        guarded.update(balancer.urn for balancer in balancers)
        undecided = undecided or (not balancers and association.at("resourceArn") is UNKNOWN)
    for balancer in stack.of(_BALANCER):
        internal = balancer.stated("internal")
        if balancer.urn in guarded or truth(internal) or balancer.at("loadBalancerType") in ("network", "gateway"):
            continue
        if internal is UNKNOWN:
            findings.not_evaluated(balancer, "web-acl", "internal")
        elif undecided:
            findings.not_evaluated(
                balancer, "web-acl", "the web ACL association", "names a resource that is known only after it is made"
            )
        else:
            findings.violation(
                balancer,
                "web-acl",
                "it faces the internet without a web ACL",
                "add an aws.wafv2.WebAclAssociation, or name it in an exemption where Firewall Manager does that",
            )


def _into_task(users: GroupUsers, ingress: Ingress, source: Source, findings: Findings) -> None:
    carrier = ingress.carrier
    remedy = "admit only the load balancer's security group, by referencedSecurityGroupId"
    if source.kind in ("cidr", "prefix-list"):
        what = f"{source.path} opens the task to addresses, past the load balancer and its rules"
        findings.violation(carrier, "task-port", what, remedy)
    elif source.kind in ("group", "self"):
        behind = users.behind(ingress, source)
        if behind is None:
            _unresolved(ingress, source, "task-port", findings)
        elif not behind.load_balancer:
            what = f"{source.path} opens the task to a security group that is not its load balancer's"
            findings.violation(carrier, "task-port", what, remedy)
    else:
        findings.not_evaluated(carrier, "task-port", source.path)


def _into_file_system(
    users: GroupUsers, ingress: Ingress, source: Source, guarded: Guarded, findings: Findings
) -> None:
    carrier = ingress.carrier
    remedy = "admit only the security group of the tasks that mount it, on port 2049"
    if source.kind in ("cidr", "prefix-list"):
        what = f"{source.path} opens the file system to addresses"
        findings.violation(carrier, "file-system-port", what, remedy)
    elif source.kind in ("group", "self"):
        behind = guarded if source.kind == "self" else users.behind(ingress, source)
        if behind is None:
            _unresolved(ingress, source, "file-system-port", findings)
        elif not behind.types & _COMPUTE:
            what = f"{source.path} opens the file system to a security group that no task or instance uses"
            findings.violation(carrier, "file-system-port", what, remedy)
    else:
        findings.not_evaluated(carrier, "file-system-port", source.path)


def _unresolved(ingress: Ingress, source: Source, check: str, findings: Findings) -> None:
    if source.value is UNKNOWN:
        findings.not_evaluated(ingress.carrier, check, source.path)
    else:
        findings.not_evaluated(ingress.carrier, check, source.path, "names a security group of another stack")


RULE: Final = Rule(
    name="path-integrity",
    title="Path integrity",
    description="Tasks are reached only through their load balancer, file systems only from tasks.",
    why=(
        "TLS, the default response, the source-ip conditions and the access log are all at the load balancer. A second path"
        " to the task's port, or to the files that it trusts, bypasses every one of them."
    ),
    severity="high",
    level="advisory",
    controls=("EC2.18", "EC2.19"),
    related=("ELB.16",),
    remediation="Replace the source by the security group of the load balancer, or of the tasks, and delete the rest.",
    checks={
        "task-port": "Groups of load-balanced ECS services admit only the load balancer's group.",
        "file-system-port": "Groups of EFS mount targets admit only groups of tasks, instances or functions on 2049.",
        "web-acl": "Application load balancers that face the internet have a web ACL, where `requireWebAcl` is true.",
    },
    settings=(
        Option(
            "requireWebAcl",
            "flag",
            default=False,
            description="Require a web ACL of application load balancers that face the internet (ELB.16).",
        ),
    ),
    whole_stack=_check,
)
