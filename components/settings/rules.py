"""What settings demand of each other. Each rule yields one line a problem: the keys, what contradicts, the way out.

A rule sees every setting that is valid by itself, one that isn't is absent: a mistake is reported once. `region` is the stack's,
`chosen` the keys whose value isn't the default.
"""

import ipaddress
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from .schema import FARGATE_MEMORY
from .values import ARN, Network

MAXIMUM_IPV4 = 2**30
MAXIMUM_IPV6 = 2**112
"""Addresses that the allowed ranges may cover together before they are public: a quarter of IPv4, a /16 of IPv6."""

RULES_PER_SECURITY_GROUP = 60
"""AWS' default quota, counted for IPv4 and IPv6 apart."""


def _vpc(given: Mapping[str, Any]) -> Iterator[str]:
    names = ("vpcId", "publicSubnetIds", "privateSubnetIds")
    if any(name not in given for name in names):
        return
    present = [name for name in names if given[name]]
    if present and len(present) < len(names):
        missing = ", ".join(name for name in names if name not in present)
        yield f"{', '.join(present)} without {missing}: name all three for a VPC that exists, or none for a new one"
        return
    for name in names[1:] if present else ():
        if len(given[name]) < 2:
            yield f"{name} = {list(given[name])}: must name at least two subnets, in different zones"
    for subnet in sorted(set(given["publicSubnetIds"]) & set(given["privateSubnetIds"])):
        yield f"publicSubnetIds, privateSubnetIds: {subnet} is in both; the task belongs where no route leads in"


def _new_vpc(given: Mapping[str, Any]) -> Iterator[str]:
    block = given.get("vpcCidrBlock")
    if block is not None and (block.version != 4 or not 16 <= block.prefixlen <= 22):
        yield f"vpcCidrBlock = {block}: must be an IPv4 range from /16 to /22"
    elif block is not None and not block.is_private:
        yield f"vpcCidrBlock = {block}: must be a private range, such as 10.64.0.0/16"


def _public_ranges(given: Mapping[str, Any]) -> Iterator[str]:
    if given.get("allowPublicAccess", True):
        return
    for version, most in ((4, MAXIMUM_IPV4), (6, MAXIMUM_IPV6)):
        for key in ("allowedCidrBlocks", "githubWebhookCidrBlocks"):
            ranges = [block for block in given.get(key, ()) if block.version == version]
            if _addresses(ranges) >= most:
                yield (
                    f"{key} = {', '.join(map(str, ranges))}: opens the server to the internet; name the office's and the VPN's "
                    "ranges, or set allowPublicAccess to true if that is meant"
                )


def _addresses(ranges: Iterable[Network]) -> int:
    return sum(block.num_addresses for block in ipaddress.collapse_addresses(ranges))  # pyright: ignore[reportArgumentType]


def _security_group_quota(given: Mapping[str, Any]) -> Iterator[str]:
    allowed, hooks = given.get("allowedCidrBlocks", ()), given.get("githubWebhookCidrBlocks", ())
    for version in (4, 6):
        needed = 2 * sum(block.version == version for block in allowed) + sum(
            block.version == version for block in hooks
        )
        if needed > RULES_PER_SECURITY_GROUP:
            yield (
                f"allowedCidrBlocks, githubWebhookCidrBlocks: {needed} IPv{version} rules for the load balancer's security group, which "
                f"takes {RULES_PER_SECURITY_GROUP}; join neighbouring ranges"
            )


def _hook_ranges(given: Mapping[str, Any]) -> Iterator[str]:
    if "githubHostname" not in given or "githubWebhookCidrBlocks" not in given:
        return
    if given["githubHostname"] != "github.com" and "githubWebhookCidrBlocks" not in given["chosen"]:
        yield (
            f"githubHostname = {given['githubHostname']!r}: also needs githubWebhookCidrBlocks, the ranges that its webhooks come from "
            "(the default ones are github.com's)"
        )


def _allowlist_host(given: Mapping[str, Any]) -> Iterator[str]:
    if "githubHostname" not in given or "repoAllowlist" not in given:
        return
    for entry in given["repoAllowlist"].split(","):
        if (host := entry.removeprefix("!").split("/", 1)[0].lower()) != given["githubHostname"]:
            yield f"repoAllowlist = {entry!r}: its host must be githubHostname, {given['githubHostname']}, not {host}"


def _certificate(given: Mapping[str, Any]) -> Iterator[str]:
    certificate, zone = given.get("acmCertificateArn", ""), given.get("hostedZoneId", "")
    if certificate is None and zone is None:
        yield (
            "acmCertificateArn: missing; must be the ARN of a certificate for the url's host, unless hostedZoneId is set (then one is "
            "issued and validated by DNS)"
        )


def _image(given: Mapping[str, Any]) -> Iterator[str]:
    if given.get("image") and "imageTag" in given["chosen"]:
        yield f"image = {given['image']!r}, imageTag = {given.get('imageTag')!r}: image is the whole reference; leave imageTag out"
    version = re.search(r"runatlantis/atlantis:v(\d+)\.(\d+)\.(\d+)", given.get("image") or "")
    if version and tuple(map(int, version.groups())) < (0, 47, 1):
        yield (
            f"image = {given['image']!r}: must be v0.47.1 or newer; older servers let a pull request's workspace name reach a shell "
            "(GHSA-rjh2-4xgw-p2hj)"
        )


def _task_size(given: Mapping[str, Any]) -> Iterator[str]:
    if "cpu" not in given or "memory" not in given:
        return
    accepted = FARGATE_MEMORY[given["cpu"]]
    if given["memory"] not in accepted:
        step = f", in steps of {accepted.step}" if isinstance(accepted, range) else ""
        yield (
            f"cpu = {given['cpu']}, memory = {given['memory']}: Fargate gives {given['cpu']} CPU units {min(accepted)} to "
            f"{max(accepted)} MiB{step}"
        )


def _webhook_secret(given: Mapping[str, Any]) -> Iterator[str]:
    if given.get("webhookSecretName") and "webhookSecretGeneration" in given["chosen"]:
        yield (
            "webhookSecretName, webhookSecretGeneration: a new generation is made only for the secret that the stack generates; leave "
            "one of the two out"
        )


def _locking(given: Mapping[str, Any]) -> Iterator[str]:
    if given.get("lockingDatabase") == "boltdb":
        for key in ("lockingNodeType", "lockingPasswordGeneration"):
            if key in given["chosen"]:
                yield f"{key} = {given[key]!r}: is for lockingDatabase redis only; leave it out, or set lockingDatabase to redis"
    if given.get("lockingDatabase") == "redis" and "--" in given.get("environment", ""):
        yield f"environment = {given['environment']!r}: must not have two hyphens in a row, which ElastiCache refuses in a name"


def _regions(given: Mapping[str, Any]) -> Iterator[str]:
    for key, arns in (
        ("acmCertificateArn", filter(None, [given.get("acmCertificateArn")])),
        ("webAclArn", filter(None, [given.get("webAclArn")])),
        ("terraformStateKeyArns", given.get("terraformStateKeyArns", ())),
        ("alarmTopicArns", given.get("alarmTopicArns", ())),
    ):
        for arn in arns:
            if given["region"] and (match := ARN.fullmatch(arn)) and match[3] != given["region"]:
                yield f"{key} = {arn!r}: must be of the stack's region {given['region']}, not of {match[3]}"


def _state_keys(given: Mapping[str, Any]) -> Iterator[str]:
    if given.get("terraformStateKeyArns") and not given.get("terraformStateBuckets", True):
        yield "terraformStateKeyArns without terraformStateBuckets: name the buckets that the keys encrypt"


def _role_prefixes(given: Mapping[str, Any]) -> Iterator[str]:
    for prefix in given.get("managedRolePrefixes", ()):
        if prefix.lower().startswith(("aws-", "awsservicerole")):
            yield f"managedRolePrefixes = {prefix!r}: names of AWS' own roles"


def _address_type(given: Mapping[str, Any]) -> Iterator[str]:
    if given.get("ipAddressType") == "dualstack" and given.get("vpcId", "") is None:
        yield "ipAddressType = 'dualstack': needs a VPC with IPv6 subnets; name it with vpcId, as a new one has IPv4 only"
    if given.get("ipAddressType") == "ipv4":
        for key in ("allowedCidrBlocks", "githubWebhookCidrBlocks"):
            if given.get(key) and all(block.version == 6 for block in given[key]):
                yield f"{key} = {', '.join(map(str, given[key]))}: only IPv6, which ipAddressType = 'ipv4' can't be reached from"


RULES: tuple[Callable[[Mapping[str, Any]], Iterator[str]], ...] = (
    _vpc,
    _new_vpc,
    _public_ranges,
    _security_group_quota,
    _address_type,
    _hook_ranges,
    _allowlist_host,
    _certificate,
    _regions,
    _image,
    _task_size,
    _webhook_secret,
    _locking,
    _state_keys,
    _role_prefixes,
)
