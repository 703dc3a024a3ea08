"""Cases of the policies about who reaches what: cidr-restriction, path-integrity, public-exposure."""

from typing import Any, Final

from tests.policy.rows import NOT_JSON, Outcome, Row, values
from tests.policy.servicer import UNKNOWN, Planned
from tests.policy.values_encryption import allow

INGRESS_RULE: Final = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
OLD_RULE: Final = "aws:ec2/securityGroupRule:SecurityGroupRule"
GROUP: Final = "aws:ec2/securityGroup:SecurityGroup"
INSIDE: Final = "10.1.0.0/16"
IPV6_INSIDE: Final = "fd00::/8"


def rule(name: str, group: str, **properties: Any) -> Planned:
    """An ingress rule of the group resource ``group``, whose id is not known yet."""
    given = {"securityGroupId": UNKNOWN, "ipProtocol": "tcp", "fromPort": 443, "toPort": 443, **properties}
    return Planned(INGRESS_RULE, name, given, {"securityGroupId": (group,)})


def _balanced(*more: Planned) -> tuple[Planned, ...]:
    """A load balancer and a task, each behind a group of its own, and a file system that the task mounts."""
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


def _cidr_case(carrier: Planned, path: str, bad: Any, absent: Outcome = "nothing") -> tuple[Row, ...]:
    stack = (carrier, *_balanced())
    return values("cidr-restriction", "ranges", stack, path, bad, absent=absent)


_PREFIX_LIST: Final = (
    Planned("aws:ec2/managedPrefixList:ManagedPrefixList", "list", {"id": "pl-1", "entries": [{"cidr": INSIDE}]}),
    rule("by-list", "alb-group", prefixListId="pl-1"),
    Planned("aws:ec2/managedPrefixListEntry:ManagedPrefixListEntry", "entry", {"prefixListId": "pl-1", "cidr": INSIDE}),
    *_balanced(),
)
_LISTENER_RULE: Final = Planned(
    "aws:lb/listenerRule:ListenerRule",
    "listener-rule",
    {"actions": [{"type": "forward"}], "conditions": [{"sourceIp": {"values": [INSIDE]}}]},
)

CIDR_VALUES: Final = (
    # Every representation, and every way to write the internet.
    *(
        _cidr_case(rule("it", "alb-group", cidrIpv4=INSIDE), "cidrIpv4", bad)
        for bad in ("0.0.0.0/0", "0.0.0.0/1", "128.0.0.0/1", "10.0.0.0/7", "8.8.8.8/32")
    ),
    *(
        _cidr_case(rule("it", "alb-group", cidrIpv6=IPV6_INSIDE), "cidrIpv6", bad)
        for bad in ("::/0", "8000::/1", "2000::/3")
    ),
    _cidr_case(rule("it", "task-group", cidrIpv4=INSIDE), "cidrIpv4", "0.0.0.0/0"),
    *(
        _cidr_case(
            Planned(GROUP, "it", {"ingress": [{"protocol": "tcp", "fromPort": 443, "toPort": 443, name: [inside]}]}),
            f"ingress[0].{name}[0]",
            bad,
        )
        for name, inside, bad in (("cidrBlocks", INSIDE, "0.0.0.0/0"), ("ipv6CidrBlocks", IPV6_INSIDE, "::/0"))
    ),
    *(
        _cidr_case(
            Planned(OLD_RULE, "it", {"type": "ingress", "securityGroupId": "sg-alb", "protocol": "-1", name: [inside]}),
            f"{name}[0]",
            bad,
        )
        for name, inside, bad in (("cidrBlocks", INSIDE, "0.0.0.0/0"), ("ipv6CidrBlocks", IPV6_INSIDE, "::/0"))
    ),
    *(
        values("cidr-restriction", "ranges", _PREFIX_LIST, path, "0.0.0.0/0", target=target)
        for target, path in (("list", "entries[0].cidr"), ("entry", "cidr"))
    ),
    values(
        "cidr-restriction",
        "prefix-list",
        _PREFIX_LIST,
        "prefixListId",
        "pl-elsewhere",
        target="by-list",
        absent="nothing",
        unknown="violation",
    ),
    values(
        "cidr-restriction",
        "ranges",
        (_LISTENER_RULE, *_balanced()),
        "conditions[0].sourceIp.values[0]",
        "0.0.0.0/0",
        absent="nothing",
    ),
    values(
        "cidr-restriction",
        "guarded",
        (
            Planned(
                "aws:alb/loadBalancer:LoadBalancer",
                "nlb",
                {"loadBalancerType": "network", "internal": False, "securityGroups": ["sg-1"]},
            ),
        ),
        "securityGroups",
        [],
        unknown="nothing",
        malformed="nothing",
    ),
)

PATH_VALUES: Final = (
    values(
        "path-integrity",
        "task-port",
        _balanced(),
        "referencedSecurityGroupId",
        "sg-efs",
        target="into-task",
        absent="nothing",
        malformed="undecided",
    ),
    values(
        "path-integrity",
        "task-port",
        _balanced(),
        "cidrIpv4",
        INSIDE,
        target="into-task",
        absent=None,
        unknown="violation",
    ),
    values(
        "path-integrity",
        "file-system-port",
        _balanced(),
        "referencedSecurityGroupId",
        "sg-alb",
        target="into-efs",
        absent="nothing",
        malformed="undecided",
    ),
    values(
        "path-integrity",
        "file-system-port",
        _balanced(),
        "cidrIpv4",
        INSIDE,
        target="into-efs",
        absent=None,
        unknown="violation",
    ),
    values(
        "path-integrity",
        "web-acl",
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
        "path-integrity",
        "web-acl",
        (Planned("aws:alb/loadBalancer:LoadBalancer", "alb", {"internal": True}),),
        "internal",
        bad=False,
        configuration={"requireWebAcl": True},
    ),
    values(
        "path-integrity",
        "web-acl",
        (Planned("aws:lb/loadBalancer:LoadBalancer", "balancer", {"loadBalancerType": "network"}),),
        "loadBalancerType",
        "application",
        unknown="violation",
        configuration={"requireWebAcl": True},
    ),
)


def _public(check: str, token: str, path: str, good: Any, bad: Any, **expected: Any) -> tuple[Row, ...]:
    name, _, inner = path.partition(".")
    properties = {name: {inner: good} if inner else good}
    return values("public-exposure", check, (Planned(token, "it", properties),), path, bad, **expected)


_BLOCK: Final = Planned(
    "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
    "it",
    dict.fromkeys(("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"), True),
)
_QUIET: Final[dict[str, Any]] = {"absent": "nothing", "malformed": "nothing"}

PUBLIC_VALUES: Final = (
    _public(
        "public-address",
        "aws:ecs/service:Service",
        "networkConfiguration.assignPublicIp",
        good=False,
        bad=True,
        **_QUIET,
    ),
    _public("public-address", "aws:ec2/instance:Instance", "associatePublicIpAddress", good=False, bad=True, **_QUIET),
    _public("public-database", "aws:rds/instance:Instance", "publiclyAccessible", good=False, bad=True, **_QUIET),
    *(values("public-exposure", "public-bucket", (_BLOCK,), flag, bad=False) for flag in _BLOCK.properties),
    _public("public-bucket", "aws:s3/bucketAcl:BucketAcl", "acl", "private", "public-read", **_QUIET),
    *(
        _public(
            "public-policy",
            token,
            "policy",
            allow(Principal="*", Action="*", Condition={"StringEquals": {"aws:SourceAccount": "123456789012"}}),
            allow(Principal={"AWS": ["*"]}, Action="*"),
            absent="nothing",
            malformed="undecided",
            malformed_value=NOT_JSON,
        )
        for token in (
            "aws:s3/bucketPolicy:BucketPolicy",
            "aws:ecr/repositoryPolicy:RepositoryPolicy",
            "aws:secretsmanager/secretPolicy:SecretPolicy",
            "aws:kms/key:Key",
            "aws:efs/fileSystemPolicy:FileSystemPolicy",
            "aws:sns/topicPolicy:TopicPolicy",
            "aws:sqs/queuePolicy:QueuePolicy",
        )
    ),
    _public(
        "public-policy",
        "aws:lambda/functionUrl:FunctionUrl",
        "authorizationType",
        "AWS_IAM",
        "NONE",
        absent="nothing",
        unknown="nothing",
        malformed="nothing",
    ),
    values(
        "public-exposure",
        "open-port",
        (Planned(INGRESS_RULE, "it", {"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "cidrIpv4": INSIDE}),),
        "cidrIpv4",
        "0.0.0.0/0",
        absent="nothing",
        unknown="undecided",
        malformed="nothing",
    ),
    values(
        "public-exposure",
        "default-group",
        (Planned("aws:ec2/defaultSecurityGroup:DefaultSecurityGroup", "it", {"ingress": []}),),
        "ingress",
        [{"protocol": "-1", "self": True}],
        absent="nothing",
        unknown="undecided",
    ),
)

NETWORK_VALUES: Final = (*CIDR_VALUES, *PATH_VALUES, *PUBLIC_VALUES)
