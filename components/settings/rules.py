"""Rules between settings.

A rule reads typed settings and yields a problem for each contradiction. A rule that reads a setting whose own value was
refused ends there: a mistake is reported once.
"""

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator

from .accepted import AUTO_ENDPOINTS, FARGATE_MEMORY
from .arn_rules import ARN_RULES
from .configuration_rules import CONFIGURATION_RULES
from .groups import Settings
from .problem import Problem
from .schema import is_default

MAXIMUM_IPV4 = 2**30
MAXIMUM_IPV6 = 2**112
"""Addresses that the allowed ranges may cover together before they are public: a quarter of IPv4, a /16 of IPv6."""

RULES_PER_SECURITY_GROUP = 60
"""AWS' default quota, counted for IPv4 and IPv6 separately."""


def _vpc(settings: Settings) -> Iterator[Problem]:
    network = settings.network
    ids = {
        "vpcId": network.vpc_id,
        "publicSubnetIds": network.public_subnet_ids,
        "privateSubnetIds": network.private_subnet_ids,
    }
    present = [key for key, value in ids.items() if value]
    if present and len(present) < len(ids):
        missing = ", ".join(key for key in ids if key not in present)
        yield Problem(
            dict.fromkeys(present), f"needs {missing} too: set all three for an existing VPC, or none for a new one"
        )
        return
    for key in ("publicSubnetIds", "privateSubnetIds") if present else ():
        if len(subnets := list(ids[key] or ())) < 2:
            yield Problem({key: subnets}, "must name at least two subnets, in different zones")
    for subnet in sorted(set(network.public_subnet_ids) & set(network.private_subnet_ids)):
        keys = {"publicSubnetIds": None, "privateSubnetIds": None}
        yield Problem(keys, f"{subnet} is in both; the task needs private subnets, without a route from the internet")


def _endpoints(settings: Settings) -> Iterator[Problem]:
    named = list(settings.network.vpc_endpoints)
    if AUTO_ENDPOINTS in named and len(named) > 1:
        yield Problem({"vpcEndpoints": named}, "auto stands alone; name the endpoints, or leave the setting out")


def _new_vpc(settings: Settings) -> Iterator[Problem]:
    block = ipaddress.ip_network(settings.network.vpc_cidr_block)
    if block.version != 4 or not 16 <= block.prefixlen <= 22:
        yield Problem({"vpcCidrBlock": str(block)}, "must be an IPv4 range from /16 to /22")
    elif not block.is_private:
        yield Problem({"vpcCidrBlock": str(block)}, "must be a private range, such as 10.64.0.0/16")


def _public_allowed_ranges(settings: Settings) -> Iterator[Problem]:
    yield from _public(settings, "allowedCidrBlocks", settings.ingress.allowed_cidr_blocks)


def _public_webhook_ranges(settings: Settings) -> Iterator[Problem]:
    yield from _public(settings, "githubWebhookCidrBlocks", settings.ingress.webhook_cidr_blocks)


def _public(settings: Settings, key: str, blocks: Iterable[str]) -> Iterator[Problem]:
    if settings.ingress.allow_public_access:
        return
    for version, most in ((4, MAXIMUM_IPV4), (6, MAXIMUM_IPV6)):
        ranges = [block for block in blocks if ipaddress.ip_network(block).version == version]
        if _addresses(ranges) >= most:
            yield Problem(
                {key: ranges},
                "opens the server to the internet; name the ranges of the office and the VPN, or set allowPublicAccess to true if "
                "that is intended",
            )


def _addresses(blocks: Iterable[str]) -> int:
    networks = [ipaddress.ip_network(block) for block in blocks]
    return sum(block.num_addresses for block in ipaddress.collapse_addresses(networks))  # pyright: ignore[reportArgumentType]


def _security_group_quota(settings: Settings) -> Iterator[Problem]:
    allowed, hooks = settings.ingress.allowed_cidr_blocks, settings.ingress.webhook_cidr_blocks
    for version in (4, 6):
        needed = 2 * _count(allowed, version) + _count(hooks, version)
        if needed > RULES_PER_SECURITY_GROUP:
            yield Problem(
                dict.fromkeys(("allowedCidrBlocks", "githubWebhookCidrBlocks")),
                f"need {needed} IPv{version} rules in the load balancer's security group, whose quota is {RULES_PER_SECURITY_GROUP}; "
                "merge adjacent ranges",
            )


def _count(blocks: Iterable[str], version: int) -> int:
    return sum(ipaddress.ip_network(block).version == version for block in blocks)


def _hook_ranges(settings: Settings) -> Iterator[Problem]:
    host = settings.server.github_hostname
    if host != "github.com" and not settings.ingress.github_webhook_cidr_blocks:
        yield Problem(
            {"githubHostname": host},
            "also needs githubWebhookCidrBlocks, the ranges that its webhooks come from (the default ranges are those of github.com)",
        )


def _allowlist_host(settings: Settings) -> Iterator[Problem]:
    wanted = settings.server.github_hostname
    for entry in settings.server.repo_allowlist.split(","):
        if (host := entry.removeprefix("!").split("/", 1)[0].lower()) != wanted:
            keys = {"repoAllowlist": entry, "githubHostname": wanted}
            yield Problem(keys, f"the host of an entry must be githubHostname, not {host}")


def _certificate(settings: Settings) -> Iterator[Problem]:
    if settings.ingress.acm_certificate_arn is None and settings.ingress.hosted_zone_id is None:
        yield Problem(
            {"acmCertificateArn": None},
            "missing; must be the ARN of a certificate for the host of url, unless hostedZoneId is set (then one is issued and validated "
            "by DNS)",
        )


def _image(settings: Settings) -> Iterator[Problem]:
    task = settings.task
    if task.image and not is_default(task, "image_tag"):
        yield Problem({"image": task.image, "imageTag": task.image_tag}, "image is the full reference; remove imageTag")


def _image_version(settings: Settings) -> Iterator[Problem]:
    """Holds for tags that begin with a version of the server, as those of the stock image and of images on top of it do."""
    task = settings.task
    if task.image:
        named = re.search(r"(?:^|/)atlantis:([^@]+)", task.image)
        key, value, tag = "image", task.image, named[1] if named else ""
    else:
        key, value, tag = "imageTag", task.image_tag, task.image_tag
    version = re.match(r"v(\d+)\.(\d+)\.(\d+)", tag)
    if version and tuple(map(int, version.groups())) < (0, 47, 1):
        yield Problem(
            {key: value},
            "must be v0.47.1 or newer; older servers let a pull request's workspace name reach a shell (GHSA-rjh2-4xgw-p2hj). "
            "The tag of an image of your own begins with the server's version, such as v0.47.1-1",
        )


def _task_size(settings: Settings) -> Iterator[Problem]:
    cpu, memory = settings.task.cpu, settings.task.memory
    sizes = FARGATE_MEMORY[cpu]
    if memory not in sizes:
        step = f", in steps of {sizes.step}" if isinstance(sizes, range) else ""
        yield Problem(
            {"cpu": cpu, "memory": memory},
            f"with {cpu} CPU units Fargate supports {min(sizes)} to {max(sizes)} MiB{step}",
        )


def _webhook_secret(settings: Settings) -> Iterator[Problem]:
    server = settings.server
    if server.webhook_secret_name and not is_default(server, "webhook_secret_generation"):
        yield Problem(
            dict.fromkeys(("webhookSecretName", "webhookSecretGeneration")),
            "only a secret that the stack generates has generations; remove one of the two",
        )


def _secret_readers(settings: Settings) -> Iterator[Problem]:
    server = settings.server
    created = {
        "the GitHub App's secret (or set githubAppSecretName)": not server.github_app_secret_name,
        "the webhook secret (or set webhookSecretName)": not server.webhook_secret_name,
        "the web page's password": settings.sign_in.generates_password,
        "the locking database's password": settings.storage.uses_redis,
    }
    if any(created.values()) and not server.secret_reader_arns:
        yield Problem(
            {"secretReaderArns": None},
            "missing; must name the roles or users that deploy the stack, as only they and the task may read what it creates: "
            f"{', '.join(what for what, is_created in created.items() if is_created)}. `aws sts get-caller-identity` prints who you are; "
            "of arn:aws:sts::<account>:assumed-role/<role>/<session> the role is arn:aws:iam::<account>:role/<role>",
        )


_OIDC_REQUIRED = {
    "oidcAuthorizationEndpoint": "oidc_authorization_endpoint",
    "oidcTokenEndpoint": "oidc_token_endpoint",
    "oidcUserInfoEndpoint": "oidc_user_info_endpoint",
    "oidcClientId": "oidc_client_id",
    "oidcClientSecretName": "oidc_client_secret_name",
}
_OIDC_OPTIONS = {"oidcScope": "oidc_scope", "oidcSessionHours": "oidc_session_hours"}


def _oidc(settings: Settings) -> Iterator[Problem]:
    sign_in = settings.sign_in
    if sign_in.oidc_issuer is None:
        for key, field in (_OIDC_REQUIRED | _OIDC_OPTIONS).items():
            if not is_default(sign_in, field):
                yield Problem({key: getattr(sign_in, field)}, "is only for a provider; remove it, or set oidcIssuer")
        return
    missing = [key for key, field in _OIDC_REQUIRED.items() if getattr(sign_in, field) is None]
    if missing:
        yield Problem(
            {"oidcIssuer": sign_in.oidc_issuer},
            f"also needs {', '.join(missing)}; the endpoints are in {sign_in.oidc_issuer.rstrip('/')}/.well-known/openid-configuration",
        )


def _web_password(settings: Settings) -> Iterator[Problem]:
    sign_in = settings.sign_in
    if not sign_in.generates_password and not is_default(sign_in, "web_password_generation"):
        yield Problem(
            {"webPasswordGeneration": sign_in.web_password_generation},
            "no password is generated with webBasicAuth false or with oidcIssuer; remove it",
        )


def _locking_options(settings: Settings) -> Iterator[Problem]:
    storage = settings.storage
    if storage.uses_redis:
        return
    options = {
        "lockingNodeType": ("locking_node_type", storage.locking_node_type),
        "lockingPasswordGeneration": ("locking_password_generation", storage.locking_password_generation),
    }
    for key, (field, value) in options.items():
        if not is_default(storage, field):
            yield Problem({key: value}, "is only for lockingDatabase redis; remove it, or set lockingDatabase to redis")


def _locking_name(settings: Settings) -> Iterator[Problem]:
    if settings.storage.uses_redis and "--" in settings.environment:
        yield Problem(
            {"environment": settings.environment},
            "must not have two consecutive hyphens, which ElastiCache doesn't accept in a name",
        )


def _log_archive(settings: Settings) -> Iterator[Problem]:
    operations = settings.operations
    if 0 < operations.log_archive_days <= operations.log_retention_days:
        yield Problem(
            {"logArchiveDays": operations.log_archive_days, "logRetentionDays": operations.log_retention_days},
            "the bucket would keep the log no longer than CloudWatch; raise logArchiveDays, or remove it",
        )


def _state_buckets(settings: Settings) -> Iterator[Problem]:
    base = settings.base_name or f"atlantis-{settings.environment}"
    for bucket in settings.terraform.terraform_state_buckets:
        if bucket.startswith((f"{base}-access-logs-", f"{base}-log-archive-")):
            yield Problem(
                {"terraformStateBuckets": bucket},
                "is a bucket of the stack's own logs; plans could change them",
            )


def _state_keys(settings: Settings) -> Iterator[Problem]:
    if settings.terraform.terraform_state_key_arns and not settings.terraform.terraform_state_buckets:
        yield Problem({"terraformStateKeyArns": None}, "needs terraformStateBuckets, the buckets that the keys encrypt")


def _name_prefixes(settings: Settings) -> Iterator[Problem]:
    for prefix in settings.terraform.managed_name_prefixes:
        if prefix.lower().startswith(("aws-", "awsservicerole")):
            yield Problem({"managedNamePrefixes": prefix}, "must not match the names of AWS' own roles")


def _dualstack(settings: Settings) -> Iterator[Problem]:
    if settings.ingress.ip_address_type == "dualstack" and settings.network.vpc_id is None:
        yield Problem(
            {"ipAddressType": "dualstack"}, "needs an existing VPC with IPv6 subnets (vpcId): a new VPC has IPv4 only"
        )


def _only_ipv6(key: str, blocks: Callable[[Settings], Iterable[str]]) -> Callable[[Settings], Iterator[Problem]]:
    """The rule that at least one range of a setting can reach the load balancer."""

    def rule(settings: Settings) -> Iterator[Problem]:
        if (given := list(blocks(settings))) and not settings.ingress.reachable_from(given):
            yield Problem(
                {key: given},
                "has only IPv6 ranges, which can't reach a load balancer with ipAddressType 'ipv4'",
            )

    return rule


def _internal_load_balancer(settings: Settings) -> Iterator[Problem]:
    ingress = settings.ingress
    if ingress.load_balancer_scheme != "internal":
        return
    for key, blocks in {
        "allowedCidrBlocks": ingress.allowed_cidr_blocks,
        "githubWebhookCidrBlocks": ingress.webhook_cidr_blocks,
    }.items():
        if public := [block for block in blocks if not ipaddress.ip_network(block).is_private]:
            yield Problem(
                {"loadBalancerScheme": "internal", key: public},
                "an internal load balancer is reached from private ranges only; name those of GitHub Enterprise and of the people",
            )


RULES: tuple[Callable[[Settings], Iterator[Problem]], ...] = (
    _vpc,
    _endpoints,
    _new_vpc,
    _public_allowed_ranges,
    _public_webhook_ranges,
    _security_group_quota,
    _dualstack,
    _only_ipv6("allowedCidrBlocks", lambda settings: settings.ingress.allowed_cidr_blocks),
    _only_ipv6("githubWebhookCidrBlocks", lambda settings: settings.ingress.webhook_cidr_blocks),
    _hook_ranges,
    _allowlist_host,
    _certificate,
    *ARN_RULES,
    _log_archive,
    _state_buckets,
    _image,
    _image_version,
    _task_size,
    _webhook_secret,
    _secret_readers,
    _oidc,
    _web_password,
    _locking_options,
    _locking_name,
    _state_keys,
    _name_prefixes,
    _internal_load_balancer,
    *CONFIGURATION_RULES,
)
