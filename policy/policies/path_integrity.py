"""path-integrity: only a load balancer can reach its tasks, and only tasks can reach a file system."""

from collections.abc import Callable
from typing import Final, NamedTuple

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
                    _into(_TASK, users, ingress, source, findings)
                if guarded.file_system and ingress.opens(NFS):
                    _into(_FILE_SYSTEM, users, ingress, source, findings)
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


class _Target(NamedTuple):
    """What a rule's sources reach. addresses, group: what is wrong if they may; admits: whether a group may, by its users."""

    check: str
    addresses: str
    group: str
    admits: Callable[[Guarded], bool]
    remedy: str


_TASK: Final = _Target(
    "task-port",
    "allows IP addresses to reach the task without the load balancer",
    "allows a security group that isn't the load balancer's to reach the task",
    lambda behind: behind.load_balancer,
    "allow only the load balancer's security group, with referencedSecurityGroupId",
)
_FILE_SYSTEM: Final = _Target(
    "file-system-port",
    "allows IP addresses to reach the file system",
    "allows a security group that no task, instance or function uses to reach the file system",
    lambda behind: bool(behind.types & _COMPUTE),
    "allow only the security group of the tasks that mount the file system, on port 2049",
)


def _into(target: _Target, users: GroupUsers, ingress: Ingress, source: Source, findings: Findings) -> None:
    wrong = target.addresses if source.kind in ("cidr", "prefix-list") else ""
    if source.kind in ("group", "self"):
        behind = users.behind(ingress, source)
        if behind is None:
            unknown = source.value is UNKNOWN
            why = "is unknown until the update" if unknown else "names a security group of another stack"
            findings.not_evaluated(ingress.carrier, target.check, source.path, why)
        elif not target.admits(behind):
            wrong = target.group
    elif source.kind == "unknown":
        findings.not_evaluated(ingress.carrier, target.check, source.path)
    if wrong:
        what, value = f"{source.path} {wrong}", (source.value, *ingress.reach)
        findings.violation(ingress.carrier, target.check, source.path, what, target.remedy, value=value)


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
