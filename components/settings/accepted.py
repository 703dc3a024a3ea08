"""The accepted values of single settings: parsers for AWS' names, IDs and sizes."""

import re

from ..configuration.comment_arguments import BLOCKED
from . import values

ARM64, X86_64 = "ARM64", "X86_64"
AUTO_ENDPOINTS = "auto"
VPC_ENDPOINTS = ("ecr.api", "ecr.dkr", "s3", "secretsmanager", "logs")
PARAMETERS_ENDPOINT = "ssm"
"""The VPC endpoint that only a stack with parameters among its secrets needs."""

FARGATE_MEMORY = {
    256: (512, 1024, 2048),
    512: range(1024, 4097, 1024),
    1024: range(2048, 8193, 1024),
    2048: range(4096, 16385, 1024),
    4096: range(8192, 30721, 1024),
    8192: range(16384, 61441, 4096),
    16384: range(32768, 122881, 8192),
}
"""MiB of memory that Fargate supports for each number of CPU units."""

LOG_RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
"""Retention periods in days that CloudWatch Logs accepts."""

SSL_POLICIES = (
    "ELBSecurityPolicy-TLS13-1-2-2021-06",
    "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
    "ELBSecurityPolicy-TLS13-1-2-Res-FIPS-2023-04",
    "ELBSecurityPolicy-TLS13-1-2-FIPS-2023-04",
    "ELBSecurityPolicy-TLS13-1-3-2021-06",
    "ELBSecurityPolicy-TLS13-1-3-FIPS-2023-04",
    "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
    "ELBSecurityPolicy-TLS13-1-3-PQ-2025-09",
)
"""Security policies of the load balancer that support TLS 1.3 and no version below TLS 1.2."""

_UUID = r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
_ID = r"(?:[0-9a-f]{8}|[0-9a-f]{17})"

environment = values.matching(
    r"[a-z](?:[a-z0-9-]{0,12}[a-z0-9])?",
    "1 to 14 lowercase letters, digits and inner hyphens, starting with a letter (a target group's name has at most 32 characters)",
)
base_name = values.matching(
    r"(?!internal-|.*--)[a-z](?:[a-z0-9-]{0,21}[a-z0-9])?",
    "1 to 23 lowercase letters, digits and single inner hyphens, starting with a letter, but not with internal-, which AWS reserves "
    "(a target group's name has at most 32 characters)",
)
log_group_name = values.matching(
    r"(?!aws/)[\w./#-]{1,512}",
    "the name of a log group: 1 to 512 letters, digits and _/.#-, but not beginning with aws/, which AWS reserves",
)
repository_name = values.matching(
    r"(?=.{2,200}$)[a-z][a-z0-9]*([._-][a-z0-9]+)*(/[a-z0-9]+([._-][a-z0-9]+)*)*",
    "the name of an ECR repository: 2 to 200 lowercase letters, digits and single ._-/ between them, starting with a letter",
)
cluster_name = values.matching(
    r"[A-Za-z0-9_-]{1,255}", "the name of an ECS cluster: 1 to 255 letters, digits, hyphens and underscores"
)
vpc_id = values.matching(rf"vpc-{_ID}", "a VPC ID such as vpc-0a1b2c3d4e5f60718")
security_group_id = values.matching(rf"sg-{_ID}", "a security group ID such as sg-0a1b2c3d4e5f60718")
subnet_ids = values.list_of(values.matching(rf"subnet-{_ID}", "a subnet ID such as subnet-0a1b2c3d4e5f60718"))
certificate_arn = values.arn(
    "acm", rf"certificate/{_UUID}", "arn:aws:acm:ap-northeast-2:123456789012:certificate/<uuid>", regional=True
)
listener_arn = values.arn(
    "elasticloadbalancing",
    r"listener/app/[A-Za-z0-9-]{1,32}/[0-9a-z]{16}/[0-9a-z]{16}",
    "arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:listener/app/<load balancer>/<id>/<id>, the listener of an application "
    "load balancer",
    regional=True,
)
service_registry_arn = values.arn(
    "servicediscovery",
    r"service/srv-[a-z0-9]{8,32}",
    "arn:aws:servicediscovery:ap-northeast-2:123456789012:service/srv-<id>",
    regional=True,
)
web_acl_arn = values.arn(
    "wafv2",
    rf"regional/webacl/[\w-]{{1,128}}/{_UUID}",
    "arn:aws:wafv2:ap-northeast-2:123456789012:regional/webacl/<name>/<uuid>",
    regional=True,
)
policy_arn = values.arn(
    "iam",
    r"policy/(?!AdministratorAccess$)[\w+=,.@/-]+",
    "arn:aws:iam::123456789012:policy/boundary, and not AdministratorAccess, which limits nothing",
    regional=False,
)
additional_policy_arns = values.list_of(
    values.arn(
        "iam",
        r"policy/(?!AdministratorAccess$|IAMFullAccess$)[\w+=,.@/-]+",
        "arn:aws:iam::123456789012:policy/buckets, and not AdministratorAccess or IAMFullAccess, because every plan has these permissions",
        regional=False,
    ),
    at_most=10,
)
# A managed policy of the task role has at most 6,144 characters.
_MOST_READERS, _MOST_STORES, _MOST_KEYS, _MOST_PREFIXES = 20, 10, 5, 5
_MOST_TOPICS = 5
"""CloudWatch allows five actions for each state of an alarm."""
topic_arns = values.list_of(
    values.arn(
        "sns", r"[\w-]{1,256}", "arn:aws:sns:ap-northeast-2:123456789012:alarms (a standard topic)", regional=True
    ),
    at_most=_MOST_TOPICS,
)
principal_arns = values.list_of(
    values.arn("iam", r"(role|user)/[\w+=,.@/-]{1,128}", "arn:aws:iam::123456789012:role/deployer", regional=False),
    at_most=_MOST_READERS,
)
secret_name = values.matching(
    r"[\w/+=.@-]{1,512}", "the name of a secret: 1 to 512 letters, digits and /_+=.@-", values.HiddenValueError
)
vcs_user = values.matching(
    r"[A-Za-z0-9][\w.@+-]{0,253}",
    "the name of a user: 1 to 254 letters, digits and _.@+-, beginning with a letter or digit",
)
oidc_client_id = values.matching(r"[\x21-\x7e]{1,256}", "the ID that the identity provider assigned to the client")
oidc_scope = values.matching(
    r"(?=.*\bopenid\b)[\x21-\x7e]+( [\x21-\x7e]+)*",
    "scopes separated by spaces that include openid, such as openid email",
)
plan_requirements = values.list_of(values.one_of(("approved", "mergeable", "undiverged")))
hosted_zone_id = values.matching(r"Z[A-Z0-9]{5,31}", "a hosted zone ID such as Z0123456789ABCDEFGHIJ")
repository_names = values.list_of(
    values.matching(r"[A-Za-z0-9._-]{1,100}", "the name of a repository without its owner, such as terraform-modules")
)
bucket_names = values.list_of(
    values.matching(
        r"(?!xn--|(?:\d+\.){3}\d+$)[a-z0-9](?!.*\.\.)[a-z0-9.-]{1,61}[a-z0-9]",
        "the name of an S3 bucket: 3 to 63 lowercase letters, digits, . and -",
    ),
    at_most=_MOST_STORES,
)
REPOSITORY = "{repository}"
"""In a prefix of keys, the owner and the name of the repository that a command belongs to."""
state_prefixes = values.list_of(
    values.matching(
        rf"(?!(.*{REPOSITORY}){{2}})(([\w.=-]+|{REPOSITORY})/)+",
        f"a prefix of keys that ends with /, such as platform/ or states/{REPOSITORY}/, without a leading / or *",
    ),
    at_most=5,
)
key_arn = values.arn(
    "kms", rf"key/(mrk-[0-9a-f]{{32}}|{_UUID})", "arn:aws:kms:ap-northeast-2:123456789012:key/<uuid>", regional=True
)
key_arns = values.list_of(key_arn, at_most=_MOST_KEYS)
table_names = values.list_of(
    values.matching(r"[\w.-]{3,255}", "the name of a DynamoDB table: 3 to 255 letters, digits and _.-"),
    at_most=_MOST_STORES,
)
name_prefixes = values.list_of(
    values.matching(r"[\w+=,.@-]{2,39}-", "a prefix of names: 3 to 40 characters, without *, ending with a hyphen"),
    at_most=_MOST_PREFIXES,
)
secret_prefixes = values.list_of(
    values.matching(
        r"(?=.{3,128}$)[\w/+=.@-]*[/-]",
        "a prefix of names of secrets: 3 to 128 characters, without *, ending with a slash or a hyphen, such as shop/",
    ),
    at_most=_MOST_STORES,
)
directory = values.matching(
    r"/|(/(?!\.{1,2}(?:/|$))[\w.-]{1,48}){1,4}",
    "a directory of the file system, such as /atlantis-data, with at most four levels",
)
cache_node_type = values.matching(
    r"cache\.(?!t1\.|m1\.|m2\.|c1\.)[a-z][0-9][a-z]*\.[0-9]*(micro|small|medium|x?large)",
    "an ElastiCache node type that supports encryption and failover, such as cache.t4g.micro",
)
cache_snapshot_name = values.matching(
    r"(?!.*--)[A-Za-z][A-Za-z0-9-]{0,254}(?<!-)",
    "the name of a manual snapshot: letters, digits and single inner hyphens, starting with a letter; copy an automatic one, because "
    "ElastiCache deletes it with its replication group",
)
# Tag values can contain letters of every language.
tag_value = values.matching(
    r"(?u:(?!(?i:aws:))[\w .:/=+@-]{1,256})",
    "a tag value: 1 to 256 letters, digits, spaces and .:/=+@-_, without the prefix aws:",
)
tags = values.mapping_of(
    values.matching(
        r"(?u:(?!(?i:aws:))[\w .:/=+@-]{1,128})",
        "a tag key: 1 to 128 letters, digits, spaces and .:/=+@-_, without the prefix aws:",
    ),
    tag_value,
    # AWS allows 50 for a resource, of which the stack sets nine.
    at_most=40,
)

yaml_file = values.matching(
    r"(?!/)(?!.*\.\.)[\w./-]{1,200}\.ya?ml",
    "the path of a YAML file in the repository, such as server.yaml, relative to the program",
)
branch = values.matching(r"(?![/-])[\w./-]{1,100}(?<![/.])", "the name of a branch, such as main")
_REFERENCED = r"(ssm:(/[\w.-]{1,128}){1,15}|[\w/+=.@-]{1,512}:[\w.-]{1,256})"
# A secret can't set variables of Atlantis, of AWS credentials, of git's configuration, of the start or of the process itself.
_FREE_NAME = (
    r"(?!(?:ATLANTIS|AWS|ECS|GIT_CONFIG|LD)_|(?:CHECK_COMMIT|SERVER_NOTIFICATIONS|PATH|HOME)\b)[A-Za-z_]\w{0,127}"
)
secret_environment = values.list_of(
    values.matching(
        rf"{_FREE_NAME}={_REFERENCED}",
        "NAME=secret:key or NAME=ssm:/parameter, such as REGISTRY_TOKEN=ci/registry:token; PATH, HOME and names that begin "
        "with ATLANTIS_, AWS_, ECS_, "
        "GIT_CONFIG_ or LD_ aren't accepted",
        values.HiddenValueError,
    ),
    at_most=20,
)
environment_variables = values.mapping_of(
    values.matching(
        _FREE_NAME,
        "the name of a variable; PATH, HOME and names that begin with ATLANTIS_, AWS_, ECS_, GIT_CONFIG_ or LD_ aren't accepted",
        values.HiddenValueError,
    ),
    values.matching(
        r"[^\x00-\x1f\x7f]{1,2048}",
        "a string of 1 to 2048 characters in one line; quote numbers and booleans",
        values.HiddenValueError,
    ),
)
server_secrets = values.list_of(
    values.matching(
        rf"[a-z][a-z0-9-]*={_REFERENCED}",
        "flag=secret:key or flag=ssm:/parameter, such as api-secret=prod/atlantis:api_secret",
        values.HiddenValueError,
    ),
    at_most=10,
)
extra_arguments = values.list_of(values.one_of(BLOCKED))
role_arn = values.arn("iam", r"role/[\w+=,.@/-]{1,128}", "arn:aws:iam::210987654321:role/terraform", regional=False)
assumable_role_arns = values.list_of(role_arn, at_most=10)

_ROLE = r"arn:[a-z-]+:iam::[0-9]{12}:role/[\w+=,.@/-]{1,128}"
repository_roles = values.list_of(
    values.matching(
        rf"[A-Za-z0-9*][A-Za-z0-9-*]{{0,38}}/[A-Za-z0-9._*-]{{1,100}}={_ROLE} {_ROLE}",
        "<owner>/<repository> with * as a wildcard, =, and the ARNs of the plan role and the apply role, separated by a space",
    ),
    at_most=5,
)

MOST_LISTENER_RULES = 128
"""The consecutive priorities that the rules of one Atlantis use in an existing listener, at most."""
first_priority = values.integer(range(50_001 - MOST_LISTENER_RULES + 1))
cidr_blocks = values.list_of(values.cidr_block)
generation = values.integer(range(1, 10001))
posix_id = values.integer(range(1, 65535))

_NOT_LATEST = "must not be `latest`, because a push would change the image without a deployment"


def image(value: object) -> str:
    """A full image reference with a digest, or with a tag other than `latest`."""
    pattern = r"(?:[a-z0-9.-]+(?::\d+)?/)?[a-z0-9._/-]+(?::(?P<tag>\w[\w.-]{0,127}))?(?P<digest>@sha256:[0-9a-f]{64})?"
    match = re.fullmatch(pattern, value, re.ASCII) if isinstance(value, str) else None
    if not match or not (match["tag"] or match["digest"]):
        raise values.UnacceptableError(
            "must be registry/repository with a tag or a digest, such as ghcr.io/runatlantis/atlantis:v0.47.1"
        )
    if (match["tag"] or "").lower() == "latest" and not match["digest"]:
        raise values.UnacceptableError(_NOT_LATEST)
    return match[0]


def image_tag(value: object) -> str:
    """An image tag other than `latest`."""
    tag = values.matching(r"\w[\w.-]{0,127}", "an image tag, such as v0.47.1")(value)
    if tag.lower() == "latest":
        raise values.UnacceptableError(_NOT_LATEST)
    return tag
