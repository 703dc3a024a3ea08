"""Values of the properties for the policies about who reaches what: cidr-restriction, path-integrity, public-exposure."""

from typing import Any, Final

from tests.policy.rows import Row, values
from tests.policy.servicer import UNKNOWN, Planned

INGRESS_RULE: Final = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
OLD_RULE: Final = "aws:ec2/securityGroupRule:SecurityGroupRule"
GROUP: Final = "aws:ec2/securityGroup:SecurityGroup"
INSIDE: Final = "10.1.0.0/16"


def rule(name: str, group: str, **properties: Any) -> Planned:
    """An ingress rule of the group resource ``group``, whose id is not known yet."""
    given = {"securityGroupId": UNKNOWN, "ipProtocol": "tcp", "fromPort": 443, "toPort": 443, **properties}
    return Planned(INGRESS_RULE, name, given, {"securityGroupId": (group,)})


def _balanced(*more: Planned) -> tuple[Planned, ...]:
    """A load balancer and a task, each behind its own group, and a file system that the task mounts."""
    return (
        Planned(GROUP, "alb-group", {"id": "sg-alb"}),
        Planned(GROUP, "task-group", {"id": "sg-task"}),
        Planned(GROUP, "efs-group", {"id": "sg-efs"}),
        Planned(
            "aws:lb/loadBalancer:LoadBalancer", "alb", {"securityGroups": [UNKNOWN]}, {"securityGroups": ("alb-group",)}
        ),
        Planned(
            "aws:ecs/service:Service",
            "service",
            {"loadBalancers": [{}], "networkConfiguration": {"securityGroups": ["sg-task"]}},
        ),
        Planned("aws:efs/mountTarget:MountTarget", "mount", {"securityGroups": ["sg-efs"]}),
        rule("into-alb", "alb-group", cidrIpv4=INSIDE),
        rule("into-task", "task-group", referencedSecurityGroupId="sg-alb", fromPort=4141, toPort=4141),
        rule("into-efs", "efs-group", referencedSecurityGroupId="sg-task", fromPort=2049, toPort=2049),
        *more,
    )


_PREFIX_LIST: Final = (
    Planned("aws:ec2/managedPrefixList:ManagedPrefixList", "list", {"id": "pl-1", "entries": [{"cidr": INSIDE}]}),
    rule("by-list", "alb-group", prefixListId="pl-1"),
    *_balanced(),
)
_LISTENER_RULE: Final = Planned(
    "aws:lb/listenerRule:ListenerRule",
    "listener-rule",
    {"actions": [{"type": "forward"}], "conditions": [{"sourceIp": {"values": [INSIDE]}}]},
)
_INLINE: Final = {
    "protocol": "tcp",
    "fromPort": 443,
    "toPort": 443,
    "cidrBlocks": [INSIDE],
    "ipv6CidrBlocks": ["fd00::/8"],
}
_OLD: Final = {"type": "ingress", "securityGroupId": "sg-alb", "protocol": "-1", "cidrBlocks": [INSIDE]}

CIDR_VALUES: Final = (
    # Every representation, and every way to write the internet.
    *(
        values("cidr-restriction/ranges", (carrier, *_balanced()), path, bad, absent="nothing")
        for carrier, path, bad in (
            (rule("it", "alb-group", cidrIpv4=INSIDE), "cidrIpv4", "128.0.0.0/1"),
            (rule("it", "alb-group", cidrIpv6="fd00::/8"), "cidrIpv6", "2000::/3"),
            (rule("it", "task-group", cidrIpv4=INSIDE), "cidrIpv4", "0.0.0.0/0"),
            (Planned(GROUP, "it", {"ingress": [_INLINE]}), "ingress[0].cidrBlocks[0]", "8.8.8.8/32"),
            (Planned(GROUP, "it", {"ingress": [_INLINE]}), "ingress[0].ipv6CidrBlocks[0]", "::ffff:0:0/96"),
            (Planned(OLD_RULE, "it", _OLD), "cidrBlocks[0]", "10.0.0.0/7"),
            (_LISTENER_RULE, "conditions[0].sourceIp.values[0]", "0.0.0.0/0"),
        )
    ),
    values("cidr-restriction/ranges", _PREFIX_LIST, "entries[0].cidr", "0.0.0.0/0", target="list"),
    values(
        *("cidr-restriction/prefix-list", _PREFIX_LIST, "prefixListId", "pl-elsewhere"),
        target="by-list",
        absent="nothing",
        unknown="violation",
    ),
)

PATH_VALUES: Final = (
    values(
        "path-integrity/task-port",
        _balanced(),
        "referencedSecurityGroupId",
        "sg-efs",
        target="into-task",
        absent="nothing",
        malformed="undecided",
    ),
    values(
        "path-integrity/task-port",
        _balanced(),
        "cidrIpv4",
        INSIDE,
        target="into-task",
        absent=None,
        unknown="violation",
    ),
    values(
        "path-integrity/file-system-port",
        _balanced(),
        "referencedSecurityGroupId",
        "sg-alb",
        target="into-efs",
        absent="nothing",
        malformed="undecided",
    ),
    values(
        "path-integrity/file-system-port",
        _balanced(),
        "cidrIpv4",
        INSIDE,
        target="into-efs",
        absent=None,
        unknown="violation",
    ),
    values(
        "path-integrity/web-acl",
        (
            Planned("aws:wafv2/webAclAssociation:WebAclAssociation", "association", {"resourceArn": "arn:alb"}),
            Planned("aws:lb/loadBalancer:LoadBalancer", "alb", {"arn": "arn:alb"}),
        ),
        "resourceArn",
        "arn:other",
        reported="alb",
        configuration={"requireWebAcl": True},
    ),
    values(
        "path-integrity/web-acl",
        (Planned("aws:alb/loadBalancer:LoadBalancer", "alb", {"internal": True}),),
        "internal",
        bad=False,
        configuration={"requireWebAcl": True},
    ),
)


def _public(check: str, token: str, path: str, good: Any, bad: Any, **expected: Any) -> tuple[Row, ...]:
    name, _, inner = path.partition(".")
    properties = {name: {inner: good} if inner else good}
    return values(f"public-exposure/{check}", (Planned(token, "it", properties),), path, bad, **expected)


_QUIET: Final[dict[str, Any]] = {"absent": "nothing", "malformed": "nothing"}

PUBLIC_VALUES: Final = (
    _public("public-database", "aws:rds/instance:Instance", "publiclyAccessible", good=False, bad=True, **_QUIET),
    _public("public-bucket", "aws:s3/bucketAcl:BucketAcl", "acl", "private", "public-read", **_QUIET),
    _public("public-policy", "aws:lambda/functionUrl:FunctionUrl", "authorizationType", "AWS_IAM", "NONE"),
    values(
        "public-exposure/default-group",
        (Planned("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", "it", {"ingress": []}),),
        "ingress",
        [{"protocol": "-1", "self": True}],
        absent="nothing",
        unknown="undecided",
    ),
)

NETWORK_VALUES: Final = (*CIDR_VALUES, *PATH_VALUES, *PUBLIC_VALUES)
