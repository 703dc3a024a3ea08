"""The authorizations that AWS requires for an API call: actions, resources, condition keys.

They are derived from the service authorization reference if possible: the call's parameters determine the resources of
an action, and a condition key has the value of the parameter with the same name. The tables contain what the reference
states only in prose.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.testbed.iam_evaluation.api_call import ApiCall, ExistingResources
from sandbox.testbed.iam_evaluation.evaluator import Decision, Evaluator, Keys, Principal, Reference
from sandbox.testbed.iam_evaluation.facts import FACTS
from sandbox.testbed.iam_evaluation.parameters import grouped, plain, requested_tags
from sandbox.testbed.iam_evaluation.passed_roles import passed_roles
from sandbox.testbed.iam_evaluation.resource_arns import (
    UNNAMED,
    fill,
    matches,
    regional_arn,
    resources,
    values_of,
)


@dataclass(frozen=True)
class Authorization:
    """One request to IAM's policy evaluation."""

    action: str
    resource: str
    keys: Keys


def decide(
    evaluator: Evaluator, principal: Principal, call: ApiCall, existing: ExistingResources
) -> list[tuple[Authorization, Decision]]:
    """IAM's decision on each authorization that ``call`` requires. The call is allowed if all decisions allow."""
    return [
        (
            asked,
            evaluator.decide(
                principal, asked.action, asked.resource, asked.keys, existing.resource_policy(asked.resource)
            ),
        )
        for asked in authorizations(evaluator.reference, call, existing)
    ]


def authorizations(
    reference: Callable[[str], Reference], call: ApiCall, existing: ExistingResources
) -> list[Authorization]:
    """The authorizations that AWS requires for ``call``: its action, tagging at creation, ``iam:PassRole``."""
    action = action_of(call.service, call.operation)
    described = reference(action)
    own = [
        Authorization(action, arn, _keys(described, arn, call, existing))
        for arn in resources(described, call, existing)
    ]
    return [
        *own,
        *_tags_at_creation(reference, call, existing, own),
        *_tags_of_session(reference, call, existing, own),
        *passing(action, described, call, existing),
    ]


def passing(action: str, described: Reference, call: ApiCall, existing: ExistingResources) -> list[Authorization]:
    """``iam:PassRole`` on each role that the call passes to a service."""
    return [
        Authorization("iam:PassRole", role, {"iam:PassedToService": recipient})
        for role, recipient in passed_roles(action, described, call, existing)
    ]


def action_of(service: str, operation: str) -> str:
    """The IAM action of an operation. ``service`` is the IAM prefix."""
    if service == "s3" and (found := re.fullmatch(r"(Get|List|Put|Delete)Bucket(\w+)Configurations?", operation)):
        verb = {"List": "Get", "Delete": "Put"}.get(found[1], found[1])
        if found[2] in _LISTED_CONFIGURATIONS:
            return f"s3:{verb}{found[2]}Configuration"
    return f"{service}:{FACTS['actions'].get(service, {}).get(operation, operation)}"


_LISTED_CONFIGURATIONS = frozenset({"Analytics", "IntelligentTiering", "Inventory", "Metrics"})
"""Configurations of which a bucket has several, and one action each for reading and for writing."""


def _keys(described: Reference, arn: str, call: ApiCall, existing: ExistingResources) -> dict[str, Any]:
    """Values of the action's condition keys, from the request and from the existing resource."""
    applying = {*described.keys, *(key for type_ in described.types if matches(type_.arn, arn) for key in type_.keys)}
    values: dict[str, Any] = {"aws:RequestedRegion": existing.region, **requested_tags(call.parameters)}
    named = grouped(call.parameters)
    for key in applying:
        name = plain(key.partition(":")[2])
        found = named.get(name) or named.get(f"{name}s")
        if found and not key.startswith("aws:") and "${" not in key:
            values[key] = found if f"{name}s" in named else found[-1]
    if "ecs:auto-assign-public-ip" in applying:
        values["ecs:auto-assign-public-ip"] = str(named.get("assignpublicip") == ["ENABLED"]).lower()
    for name, value in existing.tags(arn).items():
        values[f"aws:ResourceTag/{name}"] = value
        if f"{call.service}:ResourceTag/${{TagKey}}" in applying:
            values[f"{call.service}:ResourceTag/{name}"] = value
    if "iam:PermissionsBoundary" in applying and "iam:PermissionsBoundary" not in values:
        values |= {"iam:PermissionsBoundary": boundary} if (boundary := existing.boundary_of(arn)) else {}
    if "ecs:cluster" in applying and call.service == "ecs":
        cluster = values_of("ClusterName", call)[0].rsplit("/", 1)[-1]
        values["ecs:cluster"] = regional_arn(existing, "ecs", f"cluster/{cluster}")
    if call.service == "ec2":
        values["ec2:Region"] = existing.region
    specific = _encryption_keys(call) if call.service == "kms" else {}
    if vpc := call.parameters.get("VpcId"):
        specific["ec2:Vpc"] = regional_arn(existing, "ec2", f"vpc/{vpc}")
    families = {key.partition("${")[0] for key in applying}
    specific |= existing.properties(arn)
    values |= {key: value for key, value in specific.items() if _family(key) in families}
    if (call.service, call.operation) == ("route53", "ChangeResourceRecordSets"):
        values |= _record_keys(call)
    return values


def _family(key: str) -> str:
    return "kms:EncryptionContext:" if key.startswith("kms:EncryptionContext:") else key


def _encryption_keys(call: ApiCall) -> dict[str, Any]:
    """KMS' keys for the encryption context of a call, and for the alias by which it names its key."""
    context = {
        key: value
        for name, pairs in call.parameters.items()
        if name.endswith("EncryptionContext")
        for key, value in pairs.items()
    }
    alias = str(call.parameters.get("KeyId", "")).rpartition(":")[2]
    return {
        **{f"kms:EncryptionContext:{key}": value for key, value in context.items()},
        **({"kms:EncryptionContextKeys": list(context)} if context else {}),
        **({"kms:RequestAlias": alias} if alias.startswith("alias/") else {}),
    }


def _record_keys(call: ApiCall) -> dict[str, list[str]]:
    """Route 53's keys for the changed records: names in lower case without the last dot, types and actions."""
    changes = call.parameters.get("ChangeBatch", {}).get("Changes", [])
    records = [change.get("ResourceRecordSet", {}) for change in changes]
    prefix = "route53:ChangeResourceRecordSets"
    return {
        f"{prefix}NormalizedRecordNames": [record.get("Name", "").lower().removesuffix(".") for record in records],
        f"{prefix}RecordTypes": [record.get("Type", "") for record in records],
        f"{prefix}Actions": [change.get("Action", "") for change in changes],
    }


_MADE_UNDER = {"CreateListener": ("loadbalancer", "listener"), "CreateRule": ("listener", "listener-rule")}
"""Operations that name the parent of the new resource: the resource types in the two ARNs."""
_MAKES = re.compile(r"Create|Register|Put|Run|Request|Allocate|Authorize")


def _tags_at_creation(
    reference: Callable[[str], Reference], call: ApiCall, existing: ExistingResources, own: Sequence[Authorization]
) -> Iterator[Authorization]:
    """The tagging action on the new resource, which some services require in addition when they create it with tags."""
    tags = requested_tags(call.parameters)
    if not tags or not _MAKES.match(call.operation) or call.operation in ("CreateTags", "PutObject"):
        return
    noun = call.operation.removeprefix("Create")
    action = f"{call.service}:{FACTS['tag_actions'].get(call.service) or (f'Tag{noun}' if call.service == 'iam' else 'TagResource')}"
    made = [asked.resource for asked in own]
    if call.service == "elasticloadbalancing" and call.operation in _MADE_UNDER:
        above, below = _MADE_UNDER[call.operation]
        made = [f"{arn.replace(f':{above}/', f':{below}/')}/{UNNAMED}" for arn in made]
    if call.service == "ec2":
        types = [item["ResourceType"] for item in call.parameters.get("TagSpecifications", [])]
        made = [regional_arn(existing, "ec2", f"{type_}/{UNNAMED}") for type_ in types]
    described = reference(action)
    if made == ["*"]:
        # The operation has no resource type, because the resource doesn't exist yet.
        type_name = re.sub(r"(?<!^)(?=[A-Z])", "-", noun).lower()
        made = [fill(type_.arn, {}, existing) for type_ in described.types if f":{type_name}/" in type_.arn]
    for arn in made:
        keys = {key: value for key, value in _keys(described, arn, call, existing).items() if "ResourceTag" not in key}
        if f"{call.service}:CreateAction" in described.keys:
            keys[f"{call.service}:CreateAction"] = call.operation
        yield Authorization(action, arn, keys)


def _tags_of_session(
    reference: Callable[[str], Reference], call: ApiCall, existing: ExistingResources, own: Sequence[Authorization]
) -> Iterator[Authorization]:
    """A session with tags requires ``sts:TagSession`` on the role that is assumed."""
    if call.service == "sts" and call.operation.startswith("AssumeRole") and requested_tags(call.parameters):
        described = reference("sts:TagSession")
        for asked in own:
            yield Authorization("sts:TagSession", asked.resource, _keys(described, asked.resource, call, existing))
