"""Verdicts of secrets, containers, recovery, logging, hardening, role-escalation and single-manager."""

from typing import Any, Final

from tests.policy.cases_operations import containers
from tests.policy.servicer import UNKNOWN, Planned
from tests.policy.verdicts import ACCOUNT, Verdict, allow, both, clean, deny, document, fault, one

_TEXT: Final = "correct horse battery"
_VARIABLES: Final = (
    *(("DB_PASS", _TEXT, True), ("DB_PWD", _TEXT, True), ("PGPASSWORD", _TEXT, True), ("dbPassword", _TEXT, True)),
    *(
        ("API_TOKEN", _TEXT, True),
        ("githubToken", _TEXT, True),
        ("JWT_SIGNING_KEY", _TEXT, True),
        ("APIKEY", _TEXT, True),
    ),
    *(
        ("SSH_KEY", _TEXT, True),
        ("CLIENT_SECRET", _TEXT, True),
        ("DB_CREDENTIALS", _TEXT, True),
        ("secret", _TEXT, True),
    ),
    *(("TOKENIZER", "bert-base", False), ("TOKENIZER_PATH", "bert", False), ("MAX_TOKENS", "4096", False)),
    *(("BYPASS", "yes", False), ("COMPASS", "north", False), ("PWD", "/app", False), ("PUBLIC_KEY", _TEXT, False)),
    *(("SECRET_NAME", "prod/db", False), ("TOKEN_URL", "login", False), ("PASSWORD_MIN_LENGTH", "a dozen", False)),
    *(
        ("TOKEN_TTL", "an hour", False),
        ("SECRETARY", "Ann", False),
        ("KEYBOARD", "qwerty", False),
        ("MONKEY", "x", False),
    ),
    *(("DB_PASSWORD", "/prod/db/password", False), ("DB_PASSWORD", "arn:aws:secretsmanager:x", False)),
    *(("DB_PASSWORD", "{{resolve:secretsmanager:db}}", False), ("DB_PASSWORD", "${DB}", False)),
    ("X", "github_pat_" + "11ABCDEFG0" * 4, True),
    ("X", "ghp_" + "a1B2" * 9, True),
    ("X", "ASIA" + "ABCD1234" * 2, True),
    ("X", "AKIA" + "ABCD1234" * 2, True),
    ("X", "glpat-" + "a1B2c" * 4, True),
    ("DATABASE_URL", "postgres://app:hunter2@db.internal:5432/app", True),
    ("DATABASE_URL", "postgres://app@db.internal:5432/app", False),
    ("DATABASE_URL", "postgres://app:${PASSWORD}@db.internal/app", False),
    ("DATABASE_URL", "https://example.com:8443/a@b", False),
)


def _variable(name: str, value: str, found: bool) -> Verdict:
    task = one("ecs/taskDefinition", containerDefinitions=containers(environment=[{"name": name, "value": value}]))
    return (fault if found else clean)("secrets", "plain-environment", f"{name} {value[:12]}", task)


SECRETS: Final[tuple[Verdict, ...]] = (
    *(_variable(name, value, found) for name, value, found in _VARIABLES),
    *both(
        *("secrets", "plain-environment", "build"),
        one("codebuild/project", environment={"environmentVariables": [{"name": "NPM_TOKEN", "value": _TEXT}]}),
        one(
            "codebuild/project",
            environment={"environmentVariables": [{"name": "NPM_TOKEN", "value": "npm", "type": "SECRETS_MANAGER"}]},
        ),
    ),
    *both(
        *("secrets", "plain-environment", "start script"),
        one("ec2/instance", userData="export AWS_ACCESS_KEY_ID=AKIA" + "ABCD1234" * 2),
        one("ec2/instance", userData="export AWS_REGION=eu-west-1"),
    ),
)


def _contained(label: str, found: bool, check: str = "host-isolation", **changes: Any) -> Verdict:
    task = one("ecs/taskDefinition", containerDefinitions=containers(**changes))
    return (fault if found else clean)("containers", check, label, task)


CONTAINERS: Final[tuple[Verdict, ...]] = (
    *(_contained(f"user {user}", True, "non-root-user", user=user) for user in ("00", "0:1000", "root:root", "000:0")),
    *(_contained(f"user {user}", False, "non-root-user", user=user) for user in ("1000", "100:0", "app", "10:0")),
    *(
        _contained(f"capability {name}", found, linuxParameters={"capabilities": {"add": [name]}})
        for name, found in (("SYS_ADMIN", True), ("ALL", True), ("CAP_NET_ADMIN", True), ("NET_BIND_SERVICE", False))
    ),
    _contained("dropped capabilities", False, linuxParameters={"capabilities": {"drop": ["ALL"]}}),
    *(
        (fault if found else clean)(
            *("containers", "host-isolation", f"volume {path}"),
            one("ecs/taskDefinition", containerDefinitions=containers(), volumes=[{"name": "v", "hostPath": path}]),
        )
        for path, found in (
            *(("/var/run/docker.sock", True), ("/run/docker.sock", True), ("/", True), ("/etc", True), ("/proc", True)),
            *(("/mnt/data", False), ("/opt/app", False)),
        )
    ),
)

_SYSTEM: Final = one(
    "efs/fileSystem", arn="arn:aws:elasticfilesystem:eu-west-1:1:file-system/fs-1", tags={"backup": "daily"}
)


def _selected(label: str, found: bool, **selection: Any) -> Verdict:
    return (fault if found else clean)(
        "recovery", "backup", label, _SYSTEM, one("backup/selection", "selection", **selection)
    )


RECOVERY: Final[tuple[Verdict, ...]] = (
    _selected("by ARN", False, resources=["arn:aws:elasticfilesystem:eu-west-1:1:file-system/fs-1"]),
    _selected("by pattern", False, resources=["arn:aws:elasticfilesystem:*:*:file-system/*"]),
    _selected("everything", False, resources=["*"]),
    _selected("everything but this", True, resources=["*"], notResources=["arn:aws:elasticfilesystem:*"]),
    _selected("another service", True, resources=["arn:aws:rds:*:*:db:*"]),
    _selected("by tag", False, selectionTags=[{"type": "STRINGEQUALS", "key": "backup", "value": "daily"}]),
    _selected("by another tag", True, selectionTags=[{"type": "STRINGEQUALS", "key": "backup", "value": "weekly"}]),
    _selected(
        "by condition", False, conditions=[{"stringEquals": [{"key": "aws:ResourceTag/backup", "value": "daily"}]}]
    ),
    *both(
        *("recovery", "several-zones", "database"),
        one("rds/instance", engine="postgres"),
        one("rds/instance", engine="postgres", multiAz=True),
    ),
    clean("recovery", "several-zones", "replica", one("rds/instance", engine="postgres", replicateSourceDb="primary")),
    clean("recovery", "several-zones", "member of a cluster", one("rds/instance", engine="aurora-postgresql")),
    *(
        (fault if number == 1 else clean)(
            *("recovery", "several-zones", f"cluster of {number}"),
            one("rds/cluster", "cluster", id="c"),
            *(one("rds/clusterInstance", f"instance-{index}", clusterIdentifier="c") for index in range(number)),
        )
        for number in (1, 2)
    ),
    *both(
        *("recovery", "several-zones", "cache"),
        one("elasticache/replicationGroup", numCacheClusters=2, automaticFailoverEnabled=False),
        one("elasticache/replicationGroup", numCacheClusters=2, automaticFailoverEnabled=True),
    ),
)

_V2: Final = {"httpTokens": "required"}
HARDENING: Final[tuple[Verdict, ...]] = (
    *(
        verdict
        for canonical in ("ec2/instance", "ec2/launchTemplate", "ec2/launchConfiguration")
        for verdict in both(
            *("hardening", "instance-metadata", canonical),
            one(canonical, metadataOptions={"httpTokens": "optional"}),
            one(canonical, metadataOptions=_V2),
        )
    ),
    fault("hardening", "instance-metadata", "nothing said", one("ec2/instance", ami="ami-1")),
    clean("hardening", "instance-metadata", "template says", one("ec2/instance", launchTemplate={"id": "lt-1"})),
    clean(
        "hardening",
        "instance-metadata",
        "no service",
        one("ec2/instance", metadataOptions={"httpEndpoint": "disabled"}),
    ),
    fault(
        "hardening",
        "instance-metadata",
        "many hops",
        one("ec2/instance", metadataOptions={**_V2, "httpPutResponseHopLimit": 5}),
    ),
    *both(
        *("hardening", "header-fields", "load balancer"),
        one("lb/loadBalancer", name="a"),
        one("lb/loadBalancer", dropInvalidHeaderFields=True),
    ),
    clean("hardening", "header-fields", "network load balancer", one("lb/loadBalancer", loadBalancerType="network")),
    *both(
        *("hardening", "desync", "load balancer"),
        one("lb/loadBalancer", desyncMitigationMode="monitor"),
        one("lb/loadBalancer", desyncMitigationMode="strictest"),
    ),
    *both(
        *("hardening", "minor-versions", "database"),
        one("rds/instance", autoMinorVersionUpgrade=False),
        one("rds/instance", engine="postgres"),
    ),
    *both(
        *("logging", "control-plane-logs", "kubernetes"),
        one("eks/cluster", enabledClusterLogTypes=["api"]),
        one("eks/cluster", enabledClusterLogTypes=["api", "audit"]),
    ),
    *both(
        *("logging", "access-logs", "stage"),
        one("apigatewayv2/stage", apiId="a"),
        one("apigatewayv2/stage", accessLogSettings={"destinationArn": UNKNOWN}),
    ),
)

_ME: Final = f"arn:aws:iam::{ACCOUNT}"


def _held(label: str, found: bool, *resources: Planned) -> Verdict:
    return (fault if found else clean)("role-escalation", "self-escalation", label, *resources)


def _writes(resource: str, action: str = "iam:PutRolePolicy", **more: Any) -> str:
    return document(allow(Action=action, Resource=resource, **more))


_ROLE: Final = one("iam/role", "role", name="worker", path="/apps/")
_USER: Final = one("iam/user", "user", name="ann")
ESCALATION: Final[tuple[Verdict, ...]] = (
    *(
        _held(
            f"role of a path, {label}",
            found,
            _ROLE,
            one("iam/rolePolicy", "policy", role="worker", policy=_writes(resource)),
        )
        for label, found, resource in (
            ("by its path", True, f"{_ME}:role/apps/*"),
            ("by its name", True, f"{_ME}:role/apps/worker"),
            ("another path", False, f"{_ME}:role/teams/*"),
            ("its name without path", False, f"{_ME}:role/worker"),
            ("every role", True, f"{_ME}:role/*"),
        )
    ),
    *(
        _held(
            f"user, {label}",
            found,
            _USER,
            one("iam/userPolicy", "policy", user="ann", policy=_writes(resource, "iam:PutUserPolicy")),
        )
        for label, found, resource in (("itself", True, f"{_ME}:user/ann"), ("another", False, f"{_ME}:user/bob"))
    ),
    *(
        _held(
            *(f"group of a user, {label}", found, _USER, one("iam/group", "group", name="devs")),
            one("iam/userGroupMembership", "membership", user="ann", groups=["devs"]),
            one("iam/groupPolicy", "policy", group="devs", policy=_writes(resource, action)),
        )
        for label, found, resource, action in (
            ("itself", True, f"{_ME}:group/devs", "iam:PutGroupPolicy"),
            ("another", False, f"{_ME}:group/ops", "iam:PutGroupPolicy"),
            ("its user", True, f"{_ME}:user/ann", "iam:AttachUserPolicy"),
        )
    ),
    *(
        _held(
            *(f"managed policy by {label}", found),
            one("iam/role", "role", name="worker", arn="arn:role", **role),
            one(
                "iam/policy",
                "managed",
                name="own",
                arn="arn:own",
                policy=_writes(f"{_ME}:policy/{target}", "iam:CreatePolicyVersion"),
            ),
            *attachments,
        )
        for label, role, attachments in (
            ("managedPolicyArns", {"managedPolicyArns": ["arn:own"]}, ()),
            (
                "policyAttachment",
                {},
                (one("iam/policyAttachment", "attachment", policyArn="arn:own", roles=["worker"]),),
            ),
            ("attachment", {}, (one("iam/rolePolicyAttachment", "attachment", policyArn="arn:own", role="worker"),)),
        )
        for target, found in (("own", True), ("other", False))
    ),
    *(
        _held(
            label,
            found,
            _ROLE,
            one(
                "iam/rolePolicy",
                "policy",
                role="worker",
                policy=_writes("*", "iam:AttachRolePolicy", Condition=condition),
            ),
        )
        for label, found, condition in (
            ("below a boundary", False, {"StringEquals": {"iam:PermissionsBoundary": f"{_ME}:policy/boundary"}}),
            ("but for a boundary", True, {"StringNotEquals": {"iam:PermissionsBoundary": f"{_ME}:policy/boundary"}}),
            ("boundary if it exists", True, {"StringEqualsIfExists": {"iam:PermissionsBoundary": f"{_ME}:policy/b"}}),
            ("named policies", False, {"ArnEquals": {"iam:PolicyARN": f"{_ME}:policy/read"}}),
            ("any policy", True, {"ArnLike": {"iam:PolicyARN": "*"}}),
        )
    ),
    _held(
        *("denied to itself", False, _ROLE),
        one(
            *("iam/rolePolicy", "policy"),
            role="worker",
            policy=document(
                allow(Action="iam:PutRolePolicy", Resource=f"{_ME}:role/apps/*"),
                deny(Action="iam:*", Resource=f"{_ME}:role/apps/worker"),
            ),
        ),
    ),
)


def _managed(label: str, found: bool, *resources: Planned, check: str = "inline-and-separate") -> Verdict:
    return (fault if found else clean)("single-manager", check, label, *resources)


_INLINE: Final = [{"protocol": "tcp", "fromPort": 443, "toPort": 443, "cidrBlocks": ["10.0.0.0/8"]}]
MANAGERS: Final[tuple[Verdict, ...]] = (
    *(
        _managed(
            f"group and {part}, {label}",
            found,
            one("ec2/securityGroup", "group", id="sg-1", **inline),
            one(part, "rule", securityGroupId="sg-1", type="ingress"),
        )
        for part in ("ec2/securityGroupRule", "vpc/securityGroupIngressRule")
        for label, found, inline in (("inline as well", True, {"ingress": _INLINE}), ("separate only", False, {}))
    ),
    *(
        _managed(
            f"role and attachment, {label}",
            found,
            one("iam/role", "role", name="r", **inline),
            one("iam/rolePolicyAttachment", "attachment", role="r", policyArn="arn:p"),
        )
        for label, found, inline in (
            ("inline as well", True, {"managedPolicyArns": ["arn:q"]}),
            ("separate only", False, {}),
        )
    ),
    *(
        _managed(
            *(
                f"two policies of {label}",
                found,
                one("s3/bucket", "bucket", bucket="b"),
                one("s3/bucket", "other", bucket="c"),
            ),
            *(one("s3/bucketPolicy", "first", bucket="b"), one("s3/bucketPolicy", "second", bucket=second)),
            check="exclusive",
        )
        for label, found, second in (("one bucket", True, "b"), ("two buckets", False, "c"))
    ),
    *(
        _managed(
            f"exclusive attachment and {label}",
            found,
            one("iam/policyAttachment", "exclusive", policyArn="arn:p", roles=["a"]),
            one("iam/rolePolicyAttachment", "single", policyArn=arn, role="b"),
            check="exclusive",
        )
        for label, found, arn in (("one of the same policy", True, "arn:p"), ("one of another", False, "arn:q"))
    ),
    *(
        _managed(
            f"routes, {label}",
            found,
            one("ec2/routeTable", "table", id="rtb-1", **inline),
            one("ec2/route", "route", routeTableId="rtb-1", destinationCidrBlock="0.0.0.0/0"),
        )
        for label, found, inline in (("both", True, {"routes": [{"cidrBlock": "0.0.0.0/0"}]}), ("separate", False, {}))
    ),
)

OPERATIONS_VERDICTS: Final[tuple[Verdict, ...]] = (
    *(*SECRETS, *CONTAINERS, *RECOVERY, *HARDENING, *ESCALATION, *MANAGERS),
)
