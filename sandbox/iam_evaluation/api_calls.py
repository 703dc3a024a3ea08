"""What AWS asks of IAM for one API call: actions, resources, condition keys.

Generic where the service authorization reference is: an action's resource types are filled in from the call's parameters, and a
condition key takes the value of the parameter that it is named after. The tables hold what the reference leaves to prose. A resource
that the call is about to make, or doesn't name, has `UNNAMED` in its ARN, which matches a policy's wildcard and nothing else.
"""

import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sandbox.iam_evaluation.evaluator import Decision, Document, Evaluator, Keys, Principal, Reference, ResourceType
from sandbox.iam_evaluation.parameters import grouped, leaves, listed, plain, requested_tags, strings

__all__ = ["UNNAMED", "ApiCall", "Authorization", "World", "authorizations", "decide"]

UNNAMED = "unnamed"


@dataclass(frozen=True)
class ApiCall:
    """A call as botocore has it: ``ApiCall("ecs", "CreateCluster", {"clusterName": "a"})``.

    Attributes:
        service: the IAM prefix, such as ``elasticloadbalancing``.
        operation: the API's name of the operation.
        parameters: the input, in the shape of botocore's model.
    """

    service: str
    operation: str
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Authorization:
    """One question to IAM."""

    action: str
    resource: str
    keys: Keys


@dataclass(frozen=True)
class World:
    """What exists in the account, as far as a call's condition keys depend on it; without functions: nothing.

    Attributes:
        account: the account's id.
        region: where the call is made.
        tags: the tags of a resource, by its ARN.
        boundary_of: the permissions boundary of a role or user, by its ARN.
        full_arn: the ARN of what a call names otherwise (a secret by name, a key by alias), by the ARN with that name.
        resource_policy: the policy of a resource, by its ARN.
    """

    account: str
    region: str
    partition: str = "aws"
    tags: Callable[[str], Mapping[str, str]] = lambda _: {}
    boundary_of: Callable[[str], str | None] = lambda _: None
    full_arn: Callable[[str], str] = lambda arn: arn
    resource_policy: Callable[[str], Document | None] = lambda _: None


def decide(
    evaluator: Evaluator, principal: Principal, call: ApiCall, world: World
) -> list[tuple[Authorization, Decision]]:
    """Each question that ``call`` raises with IAM's answer; the call goes through where all are allowed."""
    return [
        (
            asked,
            evaluator.decide(
                principal, asked.action, asked.resource, asked.keys, world.resource_policy(asked.resource)
            ),
        )
        for asked in authorizations(evaluator.reference, call, world)
    ]


def authorizations(reference: Callable[[str], Reference], call: ApiCall, world: World) -> list[Authorization]:
    """The questions that AWS asks of IAM for ``call``: its own action on each resource, tags at creation, roles that it passes."""
    action = f"{call.service}:{_ACTIONS.get((call.service, call.operation), call.operation)}"
    described = reference(action)
    own = [Authorization(action, arn, _keys(described, arn, call, world)) for arn in _resources(described, call, world)]
    return [*own, *_tags_at_creation(reference, call, world, own), *_passed_roles(call)]


_ACTIONS = {
    ("s3", "DeleteBucketEncryption"): "PutEncryptionConfiguration",
    ("s3", "DeleteBucketLifecycle"): "PutLifecycleConfiguration",
    ("s3", "DeleteBucketOwnershipControls"): "PutBucketOwnershipControls",
    ("s3", "DeleteObjects"): "DeleteObject",
    ("s3", "DeletePublicAccessBlock"): "PutBucketPublicAccessBlock",
    ("s3", "GetBucketEncryption"): "GetEncryptionConfiguration",
    ("s3", "GetBucketLifecycleConfiguration"): "GetLifecycleConfiguration",
    ("s3", "GetPublicAccessBlock"): "GetBucketPublicAccessBlock",
    ("s3", "HeadBucket"): "ListBucket",
    ("s3", "HeadObject"): "GetObject",
    ("s3", "ListBuckets"): "ListAllMyBuckets",
    ("s3", "ListObjects"): "ListBucket",
    ("s3", "ListObjectsV2"): "ListBucket",
    ("s3", "ListObjectVersions"): "ListBucketVersions",
    ("s3", "PutBucketEncryption"): "PutEncryptionConfiguration",
    ("s3", "PutBucketLifecycleConfiguration"): "PutLifecycleConfiguration",
    ("s3", "PutPublicAccessBlock"): "PutBucketPublicAccessBlock",
}
"""Operations whose permission has another name."""

_PARAMETERS: Mapping[str, Sequence[str]] = {
    "BucketName": ("Bucket",),
    "ClusterName": ("clusterName", "cluster", "clusters"),
    "ObjectName": ("Key",),
    "PolicyNameWithPath": ("PolicyName",),
    "RoleNameWithPath": ("RoleName",),
    "SecretId": ("SecretId", "Name"),
    "SecurityGroupId": ("GroupId",),
    "ServiceName": ("serviceName", "service", "services"),
    "TargetGroupName": ("Name",),
    "TaskDefinitionFamilyName": ("family", "taskDefinition"),
    "TaskId": ("task", "tasks"),
    "UserNameWithPath": ("UserName",),
}
"""Parameters that fill in a placeholder of another name, the first that the call has."""

_EC2_TYPES = {
    "eipalloc": "elastic-ip",
    "eni": "network-interface",
    "igw": "internet-gateway",
    "nat": "natgateway",
    "rtb": "route-table",
    "sg": "security-group",
    "sgr": "security-group-rule",
    "subnet": "subnet",
    "vpc": "vpc",
    "vpce": "vpc-endpoint",
}
"""Resource types by the beginning of an id, for calls that take any."""


def _resources(described: Reference, call: ApiCall, world: World) -> list[str]:
    if described.wildcard_only or not described.types:
        return ["*"]
    if special := _special_resources(call, world):
        return special
    arns = [text for text in strings(call.parameters) if text.startswith("arn:")]
    named = [world.full_arn(arn) for arn in arns if any(_matches(type_.arn, arn) for type_ in described.types)]
    filled = {type_.arn: _filled(type_, call, world) for type_ in described.types}
    found = [*named, *itertools.chain.from_iterable(filled.values())]
    if not any(_matches(type_.arn, arn) for type_ in described.types if type_.required for arn in found):
        required = next((type_ for type_ in described.types if type_.required), None)
        found += [_fill(required.arn, {}, world)] if required else []
    return list(dict.fromkeys(found)) or ["*"]


def _special_resources(call: ApiCall, world: World) -> list[str]:
    if call.service == "ec2" and call.operation in ("CreateTags", "DeleteTags"):
        types = {identity: _EC2_TYPES.get(identity.split("-")[0]) for identity in call.parameters["Resources"]}
        return [_arn(world, "ec2", f"{type_ or UNNAMED}/{identity}") for identity, type_ in types.items()]
    if call.service == "elasticloadbalancing":
        if call.operation in ("AddTags", "RemoveTags"):
            return list(call.parameters["ResourceArns"])
        if call.operation == "CreateLoadBalancer":
            kind = {"network": "net", "gateway": "gwy"}.get(call.parameters.get("Type", ""), "app")
            return [_arn(world, call.service, f"loadbalancer/{kind}/{call.parameters['Name']}/{UNNAMED}")]
    if (call.service, call.operation) == ("secretsmanager", "CreateSecret"):
        # AWS adds a hyphen and six characters, which policies write as `-??????`.
        return [_arn(world, call.service, f"secret:{call.parameters['Name']}-{UNNAMED[:6]}")]
    return _named_otherwise(call, world)


def _named_otherwise(call: ApiCall, world: World) -> list[str]:
    """Resources that a call names by a parameter that stands for several types, or by none."""
    if call.service == "kms" and "AliasName" in call.parameters:
        # With the key, which a deletion doesn't name.
        key = str(call.parameters.get("TargetKeyId", UNNAMED))
        return [_arn(world, "kms", str(call.parameters["AliasName"])), _arn(world, "kms", f"key/{_name_in(key)}")]
    if call.service == "elasticfilesystem" and "ResourceId" in call.parameters:
        identity = _name_in(str(call.parameters["ResourceId"]))
        return [
            _arn(world, call.service, f"{'access-point' if identity.startswith('fsap-') else 'file-system'}/{identity}")
        ]
    if (call.service, call.operation) == ("wafv2", "GetWebACLForResource"):
        return [_arn(world, "wafv2", f"regional/webacl/{UNNAMED}/{UNNAMED}")]
    return []


def _filled(type_: ResourceType, call: ApiCall, world: World) -> list[str]:
    """The ARNs of ``type_`` that the call names by its parameters: by all that the ARN has, ids apart that AWS makes up."""
    wanted = [name for name in _placeholders(type_.arn) if name not in _MADE_UP]
    values = [[value for value in _values(name, call) if not _matches(type_.arn, value)] for name in wanted]
    values = [[value.rsplit("/", 1)[-1] if value.startswith("arn:") else value for value in row] for row in values]
    if not all(values):
        return []
    found = (_fill(type_.arn, dict(zip(wanted, row, strict=True)), world) for row in itertools.product(*values))
    return [world.full_arn(arn) for arn in found]


_MADE_UP = frozenset({"TargetGroupId", "TaskDefinitionRevisionNumber"})


def _values(placeholder: str, call: ApiCall) -> list[str]:
    names = _PARAMETERS.get(placeholder, (placeholder, f"{placeholder}s"))
    parameters = {name.lower(): value for name, value in call.parameters.items()}
    value = next((parameters[name.lower()] for name in names if parameters.get(name.lower())), None)
    if (
        value is None
        and placeholder == "ClusterName"
        and call.service == "ecs"
        and "resourceArn" not in call.parameters
    ):
        value = "default"
    if value is None:
        value = [text for name, text in leaves(call.parameters) if name == placeholder]
    texts = [str(item) for item in listed(value)]
    # A revision may follow a family.
    return [re.sub(r":\d+$", "", text) for text in texts] if placeholder == "TaskDefinitionFamilyName" else texts


def _name_in(text: str) -> str:
    """What an ARN ends with: behind its last slash, or its last colon where it has no slash; other text as it is."""
    return text.rpartition("/" if "/" in text else ":")[2] if text.startswith("arn:") else text


def _fill(pattern: str, values: Mapping[str, str], world: World) -> str:
    known = {"Partition": world.partition, "Region": world.region, "Account": world.account, **values}
    return re.sub(r"\$\{(\w+)\}", lambda found: known.get(found[1], UNNAMED), pattern)


def _placeholders(pattern: str) -> list[str]:
    return [name for name in re.findall(r"\$\{(\w+)\}", pattern) if name not in ("Partition", "Region", "Account")]


def _matches(pattern: str, arn: str) -> bool:
    parts = re.split(r"\$\{\w+\}", pattern)
    return re.fullmatch(".*".join(re.escape(part) for part in parts), arn) is not None


def _keys(described: Reference, arn: str, call: ApiCall, world: World) -> dict[str, Any]:
    """Values of the action's condition keys: from the request, and from the resource as it is."""
    applying = {*described.keys, *(key for type_ in described.types if _matches(type_.arn, arn) for key in type_.keys)}
    values: dict[str, Any] = {"aws:RequestedRegion": world.region, **requested_tags(call.parameters)}
    named = grouped(call.parameters)
    for key in applying:
        name = plain(key.partition(":")[2])
        found = named.get(name) or named.get(f"{name}s")
        if found and not key.startswith("aws:") and "${" not in key:
            values[key] = found if f"{name}s" in named else found[-1]
    if "ecs:auto-assign-public-ip" in applying:
        values["ecs:auto-assign-public-ip"] = str(named.get("assignpublicip") == ["ENABLED"]).lower()
    for name, value in world.tags(arn).items():
        values[f"aws:ResourceTag/{name}"] = value
        if f"{call.service}:ResourceTag/${{TagKey}}" in applying:
            values[f"{call.service}:ResourceTag/{name}"] = value
    if "iam:PermissionsBoundary" in applying and "iam:PermissionsBoundary" not in values:
        values |= {"iam:PermissionsBoundary": boundary} if (boundary := world.boundary_of(arn)) else {}
    if "ecs:cluster" in applying and call.service == "ecs":
        cluster = _values("ClusterName", call)[0].rsplit("/", 1)[-1]
        values["ecs:cluster"] = _arn(world, "ecs", f"cluster/{cluster}")
    if call.service == "ec2":
        values["ec2:Region"] = world.region
    return values


_TAG_ACTIONS = {
    "acm": "AddTagsToCertificate",
    "ec2": "CreateTags",
    "elasticache": "AddTagsToResource",
    "elasticloadbalancing": "AddTags",
    "firehose": "TagDeliveryStream",
}
_MADE_UNDER = {"CreateListener": ("loadbalancer", "listener"), "CreateRule": ("listener", "listener-rule")}
"""Operations that name what is above the new resource: the ARN's type there, and the new one's."""
_MAKES = re.compile(r"Create|Register|Put|Run|Request|Allocate|Authorize")


def _tags_at_creation(
    reference: Callable[[str], Reference], call: ApiCall, world: World, own: Sequence[Authorization]
) -> Iterator[Authorization]:
    """Services that tag what they make ask for their tagging action as well, on what is being made."""
    tags = requested_tags(call.parameters)
    if not tags or not _MAKES.match(call.operation) or call.operation in ("CreateTags", "PutObject"):
        return
    noun = call.operation.removeprefix("Create")
    action = (
        f"{call.service}:{_TAG_ACTIONS.get(call.service) or (f'Tag{noun}' if call.service == 'iam' else 'TagResource')}"
    )
    made = [asked.resource for asked in own]
    if call.service == "elasticloadbalancing" and call.operation in _MADE_UNDER:
        above, below = _MADE_UNDER[call.operation]
        made = [f"{arn.replace(f':{above}/', f':{below}/')}/{UNNAMED}" for arn in made]
    if call.service == "ec2":
        types = [item["ResourceType"] for item in call.parameters.get("TagSpecifications", [])]
        made = [_arn(world, "ec2", f"{type_}/{UNNAMED}") for type_ in types]
    described = reference(action)
    if made == ["*"]:
        # The operation has no resource of its own before it has made one.
        type_name = re.sub(r"(?<!^)(?=[A-Z])", "-", noun).lower()
        made = [_fill(type_.arn, {}, world) for type_ in described.types if f":{type_name}/" in type_.arn]
    for arn in made:
        keys = {key: value for key, value in _keys(described, arn, call, world).items() if "ResourceTag" not in key}
        if f"{call.service}:CreateAction" in described.keys:
            keys[f"{call.service}:CreateAction"] = call.operation
        yield Authorization(action, arn, keys)


_TAKERS = {"ecs": "ecs-tasks"}
"""Service principals that take on a role handed to a service, where it isn't the service's own."""


def _passed_roles(call: ApiCall) -> Iterator[Authorization]:
    """A role that a call hands to a service has to be passed."""
    if call.service in ("iam", "sts"):
        return
    taker = f"{_TAKERS.get(call.service, call.service)}.amazonaws.com"
    for name, value in leaves(call.parameters):
        if name.lower().endswith("rolearn") and re.fullmatch(r"arn:[\w-]+:iam::\d+:role/.+", str(value)):
            yield Authorization("iam:PassRole", str(value), {"iam:PassedToService": taker})


def _arn(world: World, service: str, resource: str) -> str:
    return f"arn:{world.partition}:{service}:{world.region}:{world.account}:{resource}"
