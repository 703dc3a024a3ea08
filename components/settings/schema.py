"""Every setting with its type, what it accepts and its default; `Pulumi.yaml` describes the same keys for people."""

import dataclasses
import json
from pathlib import Path
from typing import Any

from . import values

REQUIRED = object()
WEBHOOK_RANGES = tuple(
    values.network(item)
    for item in json.loads(Path(__file__).with_name("github_webhook_ranges.json").read_text())["hooks"]
)

NEW_VPC_RANGE = values.network("10.64.0.0/16")

ARM64, X86_64 = "ARM64", "X86_64"
VPC_ENDPOINTS = ("ecr.api", "ecr.dkr", "s3", "secretsmanager", "logs")

FARGATE_MEMORY = {
    256: (512, 1024, 2048),
    512: range(1024, 4097, 1024),
    1024: range(2048, 8193, 1024),
    2048: range(4096, 16385, 1024),
    4096: range(8192, 30721, 1024),
    8192: range(16384, 61441, 4096),
    16384: range(32768, 122881, 8192),
}
"""MiB of memory that Fargate accepts for each number of CPU units."""

LOG_RETENTION_DAYS = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731),
    *(1096, 1827, 2192, 2557, 2922, 3288, 3653),
)
"""Days that CloudWatch Logs accepts."""

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
"""Policies of the load balancer that offer TLS 1.3 and nothing below TLS 1.2."""

_UUID = r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
_ID = r"(?:[0-9a-f]{8}|[0-9a-f]{17})"

_environment = values.matching(
    r"[a-z](?:[a-z0-9-]{0,12}[a-z0-9])?",
    "1 to 14 lower case letters, digits and inner hyphens, starting with a letter (the target group's name has 32 characters)",
)
_vpc = values.matching(rf"vpc-{_ID}", "a VPC id such as vpc-0a1b2c3d4e5f60718")
_subnets = values.list_of(values.matching(rf"subnet-{_ID}", "a subnet id such as subnet-0a1b2c3d4e5f60718"))
_certificate = values.arn(
    "acm", rf"certificate/{_UUID}", "arn:aws:acm:ap-northeast-2:123456789012:certificate/<uuid>", regional=True
)
_web_acl = values.arn(
    "wafv2",
    rf"regional/webacl/[\w-]{{1,128}}/{_UUID}",
    "arn:aws:wafv2:ap-northeast-2:123456789012:regional/webacl/<name>/<uuid>",
    regional=True,
)
_boundary = values.arn("iam", r"policy/[\w+=,.@/-]+", "arn:aws:iam::123456789012:policy/boundary", regional=False)
# A policy of the task role has at most 6,144 characters.
_MOST_READERS, _MOST_STORES, _MOST_KEYS, _MOST_PREFIXES = 20, 10, 5, 5
_MOST_TOPICS = 5
"""Actions that an alarm takes for each of its states."""
_topics = values.list_of(
    values.arn(
        "sns", r"[\w-]{1,256}", "arn:aws:sns:ap-northeast-2:123456789012:alarms, of a standard topic", regional=True
    ),
    at_most=_MOST_TOPICS,
)
_readers = values.list_of(
    values.arn("iam", r"(role|user)/[\w+=,.@/-]{1,128}", "arn:aws:iam::123456789012:role/deployer", regional=False),
    at_most=_MOST_READERS,
)
_secret_name = values.matching(r"[\w/+=.@-]{1,512}", "the name of a secret: letters, digits and /_+=.@- ")
_zone = values.matching(r"Z[A-Z0-9]{5,31}", "a hosted zone id such as Z0123456789ABCDEFGHIJ")
_buckets = values.list_of(
    values.matching(
        r"(?!xn--)[a-z0-9](?!.*\.\.)[a-z0-9.-]{1,61}[a-z0-9]",
        "the name of a bucket: 3 to 63 lower case letters, digits, . and -",
    ),
    at_most=_MOST_STORES,
)
_state_keys = values.list_of(
    values.arn(
        "kms", rf"key/(mrk-[0-9a-f]{{32}}|{_UUID})", "arn:aws:kms:ap-northeast-2:123456789012:key/<uuid>", regional=True
    ),
    at_most=_MOST_KEYS,
)
_tables = values.list_of(
    values.matching(r"[\w.-]{3,255}", "the name of a DynamoDB table: 3 to 255 letters, digits and _.-"),
    at_most=_MOST_STORES,
)
_prefixes = values.list_of(
    values.matching(
        r"[\w+=,.@-]{2,39}-", "the beginning of role names: 3 to 40 characters without *, the last one a hyphen"
    ),
    at_most=_MOST_PREFIXES,
)
_directory = values.matching(
    r"(/[\w.-]{1,48}){1,4}", "a directory of the file system, such as /atlantis-data, at most four deep"
)
_node_type = values.matching(
    r"cache\.(?!t1\.|m1\.|m2\.|c1\.)[a-z][0-9][a-z]*\.[0-9]*(micro|small|medium|x?large)",
    "an ElastiCache node type of a generation that encrypts and fails over, such as cache.t4g.micro",
)
# Tags take the letters of every language.
_tag = values.matching(r"(?u:[\w .:/=+@-]{1,256})", "a tag's value: 1 to 256 letters, digits, spaces and .:/=+@-_")


def _webhook_ranges(value: object) -> tuple[values.Network, ...]:
    """Ranges; none given stands for those that GitHub publishes, so that they stand in one place only."""
    return values.list_of(values.network)(value) or WEBHOOK_RANGES


def _setting(parse: values.Parser[Any], default: object = REQUIRED) -> Any:
    """One setting; a default of None means that it may be left out."""
    return dataclasses.field(metadata={"parse": parse, "default": default})


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of one stack, valid as a whole. The configuration's key is the field's name in camel case."""

    environment: str = _setting(_environment, None)
    region: str = dataclasses.field(default="")

    vpc_id: str | None = _setting(_vpc, None)
    public_subnet_ids: tuple[str, ...] = _setting(_subnets, ())
    private_subnet_ids: tuple[str, ...] = _setting(_subnets, ())
    vpc_cidr_block: values.Network = _setting(values.network, NEW_VPC_RANGE)
    vpc_endpoints: tuple[str, ...] = _setting(values.list_of(values.one_of(VPC_ENDPOINTS)), VPC_ENDPOINTS)

    allowed_cidr_blocks: tuple[values.Network, ...] = _setting(values.list_of(values.network, at_least=1))
    allow_public_access: bool = _setting(values.boolean, False)
    github_webhook_cidr_blocks: tuple[values.Network, ...] = _setting(_webhook_ranges, WEBHOOK_RANGES)
    url: str = _setting(values.https_url)
    acm_certificate_arn: str | None = _setting(_certificate, None)
    hosted_zone_id: str | None = _setting(_zone, None)
    ip_address_type: str = _setting(values.one_of(("ipv4", "dualstack")), "ipv4")
    web_acl_arn: str | None = _setting(_web_acl, None)
    ssl_policy: str = _setting(values.one_of(SSL_POLICIES), SSL_POLICIES[0])

    repo_allowlist: str = _setting(values.repo_allowlist)
    github_hostname: str = _setting(values.host, "github.com")
    github_app_secret_name: str | None = _setting(_secret_name, None)
    webhook_secret_name: str | None = _setting(_secret_name, None)
    webhook_secret_generation: int = _setting(values.integer(range(1, 10001)), 1)
    secret_reader_arns: tuple[str, ...] = _setting(_readers, ())

    image: str | None = _setting(values.image_reference, None)
    image_tag: str = _setting(values.image_tag, "v0.47.1")
    cpu_architecture: str = _setting(values.one_of((X86_64, ARM64)), X86_64)
    cpu: int = _setting(values.integer(tuple(FARGATE_MEMORY)), 2048)
    memory: int = _setting(values.integer(range(512, 122881)), 4096)
    capacity_provider: str = _setting(values.one_of(("FARGATE", "FARGATE_SPOT")), "FARGATE")
    desired_count: int = _setting(values.integer(range(2)), 1)
    container_port: int = _setting(values.integer(range(1024, 65536)), 4141)
    log_level: str = _setting(values.one_of(("debug", "info", "warn", "error")), "info")
    log_retention_days: int = _setting(values.integer(LOG_RETENTION_DAYS), 7)
    alarm_topic_arns: tuple[str, ...] = _setting(_topics, ())

    locking_database: str = _setting(values.one_of(("boltdb", "redis")), "boltdb")
    locking_node_type: str = _setting(_node_type, "cache.t4g.micro")
    locking_password_generation: int = _setting(values.integer(range(1, 10001)), 1)

    efs_encryption_key: str = _setting(values.one_of(("customer", "aws")), "customer")
    efs_root_directory: str = _setting(_directory, "/atlantis-data")
    posix_uid: int = _setting(values.integer(range(1, 65535)), 100)
    posix_gid: int = _setting(values.integer(range(1, 65535)), 100)
    deletion_protection: bool = _setting(values.boolean, True)

    terraform_state_buckets: tuple[str, ...] = _setting(_buckets, ())
    terraform_state_key_arns: tuple[str, ...] = _setting(_state_keys, ())
    terraform_lock_tables: tuple[str, ...] = _setting(_tables, ())
    managed_role_prefixes: tuple[str, ...] = _setting(_prefixes, ("fileflow-", "atlantis-"))
    permissions_boundary_arn: str | None = _setting(_boundary, None)

    team: str = _setting(_tag, "platform")
    owner: str = _setting(_tag, "platform")
    cost_center: str | None = _setting(_tag, None)
    data_class: str = _setting(values.one_of(("public", "internal", "confidential", "restricted")), "confidential")

    @property
    def reaching_cidr_blocks(self) -> tuple[list[str], list[str]]:
        """The allowed and GitHub's ranges that can reach the load balancer: IPv6 ones only where it has such addresses."""
        versions = (4, 6) if self.ip_address_type == "dualstack" else (4,)
        return (
            [str(block) for block in self.allowed_cidr_blocks if block.version in versions],
            [str(block) for block in self.github_webhook_cidr_blocks if block.version in versions],
        )

    @property
    def tags(self) -> dict[str, str]:
        """The tags of every resource that takes tags."""
        tags = {
            "Environment": self.environment,
            "Service": "atlantis",
            "ManagedBy": "pulumi",
            "Project": "atlantis",
            "Team": self.team,
            "Owner": self.owner,
            "DataClass": self.data_class,
        }
        return tags | ({"CostCenter": self.cost_center} if self.cost_center else {})

    @property
    def host(self) -> str:
        """The host of the URL: what the certificate must cover and the alias record names."""
        return self.url.removeprefix("https://")
