"""The resources of an API call: ARN patterns of the service authorization reference with the call's parameters.

If the call creates a resource or doesn't name it, its ARN contains `UNNAMED`, which matches only a wildcard of a
policy.
"""

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.testbed.iam_evaluation.api_call import ApiCall, ExistingResources
from sandbox.testbed.iam_evaluation.evaluator import Reference, ResourceType
from sandbox.testbed.iam_evaluation.facts import FACTS
from sandbox.testbed.iam_evaluation.parameters import leaves, listed, strings

UNNAMED = "unnamed"

_PARAMETERS: Mapping[str, Sequence[str]] = FACTS["parameters"]
_SPELLINGS = {("Scope", "REGIONAL"): "regional", ("Scope", "CLOUDFRONT"): "global"}
"""Values of parameters that ARNs have in another spelling."""
_FORMS = ("", "Name", "Id", "Identifier", "Arn", "Url")
_FORM = re.compile(r"(NameWithPath|Name|Id|Identifier|Arn|ArnList|Url)$", re.IGNORECASE)
_SHORT = 3
"""Nouns up to this length are also the ends of others, such as Key and Vpc."""

_EC2_TYPES: Mapping[str, str] = FACTS["ec2_types"]


def resources(described: Reference, call: ApiCall, existing: ExistingResources) -> list[str]:
    """The ARNs of the resources of a call, or `*`."""
    if described.wildcard_only or not described.types:
        return ["*"]
    if special := _special_resources(call, existing):
        return special
    arns = [text for text in strings(call.parameters) if text.startswith("arn:")]
    found = [existing.full_arn(arn) for arn in arns if any(matches(type_.arn, arn) for type_ in described.types)]
    filled = [(type_, *_filled(type_, described, call, existing)) for type_ in _alternatives(described, call)]
    found += [arn for _, arns, _, whole in filled if whole for arn in arns]
    # AWS generates some IDs in ARNs, so that a call can name a resource only in part.
    parts = [(arns, named) for type_, arns, named, _ in filled if type_ in _missing(described, found)]
    parts = parts or ([] if found else [(arns, named) for _, arns, named, _ in filled])
    most = max((named for _, named in parts), default=0)
    found += [arn for arns, named in parts if named == most for arn in arns]
    found += [fill(type_.arn, {}, existing) for type_ in _unnamed_types(described, call, found)]
    return list(dict.fromkeys(found)) or ["*"]


def _alternatives(described: Reference, call: ApiCall) -> Sequence[ResourceType]:
    """The types without those of which another type has all names and more: a rule of an event bus and one of the default bus."""
    optional = [type_ for type_ in described.types if not type_.required]
    names = {type_.name: set(_placeholders(type_.arn)) for type_ in optional}
    given = {type_: names for type_, names in names.items() if all(values_of(name, call) for name in names)}
    less = {one for one, some in given.items() for more in given.values() if some < more}
    return [type_ for type_ in described.types if type_.required or type_.name not in less]


def _unnamed_types(described: Reference, call: ApiCall, found: Sequence[str]) -> Sequence[ResourceType]:
    """The types of resources on which AWS evaluates a call too, although the call doesn't name one of them."""
    if call.service == "ec2":
        # All of them: CreateSubnet is evaluated on its VPC and on the new subnet.
        missing = [type_ for type_ in described.types if type_.required and not _is_one_of(type_, found)]
        return missing or (described.types if not found and len(described.types) == 1 else ())
    return _missing(described, found)[:1]


def _missing(described: Reference, found: Sequence[str]) -> Sequence[ResourceType]:
    """The required types, unless one is among the ``found`` ARNs: services except EC2 list alternatives, such as kinds of balancers."""
    required = [type_ for type_ in described.types if type_.required]
    return [] if any(_is_one_of(type_, found) for type_ in required) else required


def _is_one_of(type_: ResourceType, found: Sequence[str]) -> bool:
    return any(matches(type_.arn, arn) for arn in found)


_BY_ARN = {"apigateway": "ResourceArn", "elasticloadbalancing": "ResourceArns"}
"""Parameters with ARNs of types that the reference's data lack for some actions, by service."""


def _special_resources(call: ApiCall, existing: ExistingResources) -> list[str]:
    if call.service == "ec2" and call.operation in ("CreateTags", "DeleteTags"):
        types = {identity: _EC2_TYPES.get(identity.rpartition("-")[0]) for identity in call.parameters["Resources"]}
        return [regional_arn(existing, "ec2", f"{type_ or UNNAMED}/{identity}") for identity, type_ in types.items()]
    if (call.service, call.operation) == ("ec2", "CreateFlowLogs"):
        types = [_EC2_TYPES.get(identity.rpartition("-")[0], UNNAMED) for identity in call.parameters["ResourceIds"]]
        watched = (f"{type_}/{identity}" for type_, identity in zip(types, call.parameters["ResourceIds"], strict=True))
        return [regional_arn(existing, "ec2", name) for name in (*watched, f"vpc-flow-log/{UNNAMED}")]
    if (call.service, call.operation) == ("elasticloadbalancing", "CreateLoadBalancer"):
        kind = {"network": "net", "gateway": "gwy"}.get(call.parameters.get("Type", ""), "app")
        return [regional_arn(existing, call.service, f"loadbalancer/{kind}/{call.parameters['Name']}/{UNNAMED}")]
    if (call.service, call.operation) == ("secretsmanager", "CreateSecret"):
        # AWS appends a hyphen and six characters; policies match them with `-??????`.
        return [regional_arn(existing, call.service, f"secret:{call.parameters['Name']}-{UNNAMED[:6]}")]
    if call.service in _BY_ARN and (named := listed(call.parameters.get(_BY_ARN[call.service]))):
        return named
    return (_of_systems_manager if call.service == "ssm" else _named_otherwise)(call, existing)


def _named_otherwise(call: ApiCall, existing: ExistingResources) -> list[str]:
    """Resources that a call names by a parameter for several resource types, or doesn't name."""
    if call.service == "kms" and "AliasName" in call.parameters:
        return _alias_and_keys(call, existing)
    if call.service == "elasticfilesystem" and "ResourceId" in call.parameters:
        identity = _name_in(str(call.parameters["ResourceId"]))
        return [
            regional_arn(
                existing,
                call.service,
                f"{'access-point' if identity.startswith('fsap-') else 'file-system'}/{identity}",
            )
        ]
    if call.service == "application-autoscaling" and "ResourceId" in call.parameters:
        # The parameter is the ID of what scales. The ID in the target's ARN is generated.
        return [regional_arn(existing, call.service, f"scalable-target/{UNNAMED}")]
    if call.service == "route53" and "ResourceType" in call.parameters:
        names = listed(call.parameters.get("ResourceIds", call.parameters.get("ResourceId")))
        return [f"arn:{existing.partition}:route53:::{call.parameters['ResourceType']}/{name}" for name in names]
    if (call.service, call.operation) == ("wafv2", "GetWebACLForResource"):
        return [regional_arn(existing, "wafv2", f"regional/webacl/{UNNAMED}/{UNNAMED}")]
    return []


def _of_systems_manager(call: ApiCall, existing: ExistingResources) -> list[str]:
    """Parameters by their names, and what a call about tags names by its type. ARNs have no slash at a name's beginning."""
    kind = FACTS["systems_manager"].get(str(call.parameters.get("ResourceType")), "")
    if kind:
        names = listed(call.parameters.get("ResourceId"))
    elif "Parameter" in call.operation:
        kind = "parameter"
        names = [name for key in ("Name", "Names", "Path") for name in listed(call.parameters.get(key))]
    else:
        return []
    # A colon precedes the version or the label that is read.
    return [
        name
        if name.startswith("arn:")
        else regional_arn(existing, "ssm", f"{kind}/{name.lstrip('/').partition(':')[0]}")
        for name in map(str, names)
    ]


def _alias_and_keys(call: ApiCall, existing: ExistingResources) -> list[str]:
    """The alias, the key that it has, and the key that it gets. DeleteAlias names no key, and UpdateAlias only the new one."""
    alias = regional_arn(existing, "kms", str(call.parameters["AliasName"]))
    keys = [existing.full_arn(alias)] if call.operation != "CreateAlias" else []
    if "TargetKeyId" in call.parameters:
        keys.append(regional_arn(existing, "kms", f"key/{_name_in(str(call.parameters['TargetKeyId']))}"))
    found = [key for key in keys if key != alias] or [regional_arn(existing, "kms", f"key/{UNNAMED}")]
    return list(dict.fromkeys([alias, *found]))


def _filled(
    type_: ResourceType, described: Reference, call: ApiCall, existing: ExistingResources
) -> tuple[list[str], int, bool]:
    """The ARNs of ``type_`` with the call's parameters, the number of placeholders that they fill in, and whether these are all."""
    wanted = _placeholders(type_.arn)
    same = [other.arn for other in described.types if set(wanted) <= set(_placeholders(other.arn))]
    values = {
        name: [
            named
            for value in values_of(name, call)
            # An ARN without a slash is that of another type, as a tagged database is of each type of RDS.
            if not any(matches(arn, value) for arn in same) and not (named := _name_of(value)).startswith("arn:")
        ]
        for name in wanted
    }
    given = {name: row for name, row in values.items() if row}
    found = (
        fill(type_.arn, dict(zip(given, row, strict=True)), existing) for row in itertools.product(*given.values())
    )
    # AWS evaluates a call by an alias on its key, which has another ID. It creates its own keys when they are first used.
    arns = [re.sub(r":key/alias/.+", f":key/{UNNAMED}", existing.full_arn(arn)) for arn in found] if given else []
    return arns, len(given), bool(wanted) and len(given) == len(wanted)


def _name_of(value: str) -> str:
    """The name in a URL, or in the ARN of another type."""
    return value.rsplit("/", 1)[-1] if re.match("arn:|https?:", value) else value


def values_of(placeholder: str, call: ApiCall) -> list[str]:
    """The values of a call's parameters for a placeholder of an ARN, such as `ClusterName`: of `cluster` or `clusterName`."""
    scalars = (
        (name.lower(), [item for item in listed(value) if item and not isinstance(item, Mapping)])
        for name, value in call.parameters.items()
    )
    parameters = {name: values for name, values in scalars if values}
    names = _PARAMETERS.get(placeholder) or _names(placeholder, call, parameters)
    value = next((parameters[name.lower()] for name in names if name.lower() in parameters), None)
    if (
        value is None
        and placeholder == "ClusterName"
        and call.service == "ecs"
        and "resourceArn" not in call.parameters
    ):
        value = "default"
    if value is None:
        value = [text for name, text in leaves(call.parameters) if name in _PARAMETERS.get(placeholder, (placeholder,))]
    texts = [_SPELLINGS.get((placeholder, str(item)), str(item)) for item in listed(value)]
    if placeholder == "EventBusName" and "EventBus" not in call.operation:
        # The ARNs of the default bus' rules don't contain it.
        texts = [text for text in texts if text.rpartition("/")[2] != "default"]
    if placeholder.endswith("WithPath") and (path := str(call.parameters.get("Path", "")).strip("/")):
        texts = [f"{path}/{text}" for text in texts]
    # A revision may be appended to the family.
    return [re.sub(r":\d+$", "", text) for text in texts] if placeholder == "TaskDefinitionFamilyName" else texts


def _names(placeholder: str, call: ApiCall, parameters: Mapping[str, Any]) -> list[str]:
    """The parameters that can have the value of a placeholder: the placeholder's noun in each form, one or several.

    A parameter without a noun, such as `Name`, belongs to the resource type after which the operation is named.
    """
    stem = _FORM.sub("", placeholder)
    names = [placeholder, *(stem + form for form in _FORMS)]
    if re.match(rf"[A-Z][a-z]+{stem}", call.operation, re.IGNORECASE):
        names += _FORMS[1:]
    names = [form for name in names for form in (name, f"{name}s", f"{name}List")]
    # EC2 and RDS have longer and shorter nouns: VpcFlowLogId of FlowLogIds, SubnetGroupName of DBSubnetGroupName.
    nouns = {name: _FORM.sub("", name.removesuffix("s")) for name in parameters}
    stem = stem.lower()
    names += [
        name
        for name, noun in nouns.items()
        # A number counts something.
        if not any(isinstance(value, int) for value in parameters[name])
        and min(len(noun), len(stem)) > _SHORT
        and (noun.endswith(stem) or stem.endswith(noun))
    ]
    return names


def _name_in(text: str) -> str:
    """The part after an ARN's last slash or, without slashes, its last colon. Other text is unchanged."""
    return text.rpartition("/" if "/" in text else ":")[2] if text.startswith("arn:") else text


def fill(pattern: str, values: Mapping[str, str], existing: ExistingResources) -> str:
    """The ARN of a pattern, with `UNNAMED` for placeholders without a value."""
    known = {"Partition": existing.partition, "Region": existing.region, "Account": existing.account, **values}
    return re.sub(r"\$\{(\w+)\}", lambda found: known.get(found[1], UNNAMED), pattern)


def _placeholders(pattern: str) -> list[str]:
    return [name for name in re.findall(r"\$\{(\w+)\}", pattern) if name not in ("Partition", "Region", "Account")]


def matches(pattern: str, arn: str) -> bool:
    """Whether an ARN has the pattern of a resource type."""
    parts = re.split(r"\$\{\w+\}", pattern)
    return re.fullmatch(".*".join(re.escape(part) for part in parts), arn) is not None


def regional_arn(existing: ExistingResources, service: str, resource: str) -> str:
    """The ARN of a resource in the account and region of `existing`."""
    return f"arn:{existing.partition}:{service}:{existing.region}:{existing.account}:{resource}"
