"""path-integrity: only a load balancer can reach its tasks, and only tasks can reach a file system."""

from typing import Final

from evaluation.aws.group_users import GroupUsers, Guarded
from evaluation.aws.security_groups import RULE_TYPES, Ingress, Source, ingress_of
from evaluation.configuration import Option
from evaluation.resources import Stack
from evaluation.rule import Findings, Rule
from evaluation.values import UNKNOWN, truth

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
                balancer, "web-acl", "the web ACL association", "names a resource that is unknown until the update"
            )
        else:
            what = "the internet-facing load balancer has no web ACL"
            remedy = "add an aws.wafv2.WebAclAssociation, or an exemption if Firewall Manager associates a web ACL"
            findings.violation(balancer, "web-acl", "", what, remedy)


def _into_task(users: GroupUsers, ingress: Ingress, source: Source, findings: Findings) -> None:
    carrier = ingress.carrier
    remedy = "allow only the load balancer's security group, with referencedSecurityGroupId"
    if source.kind in ("cidr", "prefix-list"):
        what = f"{source.path} allows IP addresses to reach the task without the load balancer"
        findings.violation(carrier, "task-port", source.path, what, remedy, value=(source.value, *ingress.reach))
    elif source.kind in ("group", "self"):
        behind = users.behind(ingress, source)
        if behind is None:
            _unresolved(ingress, source, "task-port", findings)
        elif not behind.load_balancer:
            what = f"{source.path} allows a security group that isn't the load balancer's to reach the task"
            findings.violation(carrier, "task-port", source.path, what, remedy, value=(source.value, *ingress.reach))
    else:
        findings.not_evaluated(carrier, "task-port", source.path)


def _into_file_system(
    users: GroupUsers, ingress: Ingress, source: Source, guarded: Guarded, findings: Findings
) -> None:
    carrier = ingress.carrier
    remedy = "allow only the security group of the tasks that mount the file system, on port 2049"
    if source.kind in ("cidr", "prefix-list"):
        what = f"{source.path} allows IP addresses to reach the file system"
        findings.violation(carrier, "file-system-port", source.path, what, remedy, value=(source.value, *ingress.reach))
    elif source.kind in ("group", "self"):
        behind = guarded if source.kind == "self" else users.behind(ingress, source)
        if behind is None:
            _unresolved(ingress, source, "file-system-port", findings)
        elif not behind.types & _COMPUTE:
            what = f"{source.path} allows a security group that no task, instance or function uses to reach the file system"
            findings.violation(
                carrier, "file-system-port", source.path, what, remedy, value=(source.value, *ingress.reach)
            )
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
    description="Only a load balancer can reach its ECS tasks, and only compute resources can reach EFS file systems.",
    why=(
        "TLS, the default response, the source-ip conditions and the access logs are properties of the load balancer. Another"
        " path to the task's port or to its files bypasses all of them."
    ),
    severity="high",
    level="advisory",
    controls=("EC2.18", "EC2.19"),
    related=("ELB.16",),
    remediation="Allow only the security group of the load balancer or of the tasks as the source, and remove all other sources.",
    checks={
        "task-port": "Security groups of load-balanced ECS services allow only the load balancer's group.",
        "file-system-port": "Security groups of EFS mount targets allow port 2049 only from groups of tasks, instances or functions.",
        "web-acl": "Internet-facing Application Load Balancers have a web ACL, if `requireWebAcl` is true.",
    },
    settings=(
        Option(
            "requireWebAcl",
            "flag",
            default=False,
            description="Require a web ACL for internet-facing Application Load Balancers (ELB.16).",
        ),
    ),
    whole_stack=_check,
)
