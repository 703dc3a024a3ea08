"""What Elastic Load Balancing, ACM, Route 53 and WAF refuse."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from typing import Any

from sandbox.testbed.iam_evaluation.parameters import leaves
from sandbox.testbed.local_aws.refusals.call import Call
from sandbox.testbed.local_aws.refusals.networks import group_network, has_gateway, network, subnet


def balancers_of(call: Call, group: str) -> set[str] | None:
    """The load balancers that forward to a target group; None if it can't be known, because the local AWS drops weights."""
    found: set[str] = set()
    unknown = False
    for listener in _listeners(call):
        rules = call.all("elbv2:DescribeRules", "Rules[]", ListenerArn=listener["ListenerArn"])
        actions = [*listener.get("DefaultActions", []), *(item for rule in rules for item in rule.get("Actions", []))]
        groups = [name for action in actions for name in _groups(action)]
        unknown = unknown or any(item["Type"] == "forward" and not _groups(item) for item in actions)
        if group in groups:
            found.add(listener["LoadBalancerArn"])
    return found or (None if unknown else set())


def _listeners(call: Call) -> Iterator[dict[str, Any]]:
    """The listeners of all load balancers."""
    for balancer in call.all("elbv2:DescribeLoadBalancers", "LoadBalancers[].LoadBalancerArn"):
        yield from call.all("elbv2:DescribeListeners", "Listeners[]", LoadBalancerArn=balancer)


def _groups(action: dict[str, Any]) -> list[str]:
    weighted = [item.get("TargetGroupArn") for item in (action.get("ForwardConfig") or {}).get("TargetGroups", [])]
    return [name for name in (action.get("TargetGroupArn"), *weighted) if name]


def requested(call: Call) -> list[str]:
    """The target groups that the actions in a call forward to."""
    actions = [*call.each("DefaultActions"), *call.each("Actions")]
    return list(dict.fromkeys(name for action in actions for name in _groups(action)))


def _balancer(call: Call) -> str | None:
    """The load balancer of a call that names it, a listener or a rule."""
    if call["LoadBalancerArn"]:
        return call["LoadBalancerArn"]
    arn = call["ListenerArn"] or (
        call["RuleArn"] and call["RuleArn"].replace(":listener-rule/", ":listener/").rpartition("/")[0]
    )
    return call.find("DescribeListeners", "Listeners[0].LoadBalancerArn", ListenerArns=[arn]) if arn else None


def _of_balancer(call: Call, name: str) -> Any:
    """A member of the description of a call's load balancer."""
    arn = _balancer(call)
    return call.find("DescribeLoadBalancers", f"LoadBalancers[0].{name}", LoadBalancerArns=[arn]) if arn else None


def other_balancer(call: Call) -> str | None:
    """A target group that another load balancer uses: one receives requests from one load balancer only."""
    own = _balancer(call)
    return next((group for group in requested(call) if own and (balancers_of(call, group) or set()) - {own}), None)


def other_network(call: Call) -> str | None:
    vpc = _of_balancer(call, "VpcId")
    for group in requested(call) if vpc else ():
        other = call.find("DescribeTargetGroups", "TargetGroups[0].VpcId", TargetGroupArns=[group])
        if other and other != vpc:
            return group
    return None


def missing_certificate(call: Call) -> str | None:
    """A certificate of this account that doesn't exist."""
    for arn in call.each("Certificates[].CertificateArn"):
        if (
            ":acm:" in arn
            and f":{call.account}:" in arn
            and not call.find("acm:DescribeCertificate", "Certificate", CertificateArn=arn)
        ):
            return arn
        if ":server-certificate/" in arn and arn not in call.all(
            "iam:ListServerCertificates", "ServerCertificateMetadataList[].Arn"
        ):
            return arn
    return None


def is_application(call: Call) -> bool:
    return _of_balancer(call, "Type") == "application"


def subnets(call: Call) -> list[str]:
    return [*call.each("Subnets"), *call.each("SubnetMappings[].SubnetId")]


def application(call: Call) -> bool:
    return (
        call["Type"] in (None, "application") if call.operation == "elbv2:CreateLoadBalancer" else is_application(call)
    )


def zones(call: Call) -> list[str]:
    return [subnet(call, item).get("AvailabilityZone", item) for item in subnets(call)]


def networks(call: Call) -> set[Any]:
    return {subnet(call, item).get("VpcId") for item in subnets(call)}


def groups_elsewhere(call: Call) -> bool:
    groups = {group_network(call, item) for item in call.each("SecurityGroups")}
    return bool(groups) and groups != (networks(call) or {_of_balancer(call, "VpcId")})


def closed(call: Call) -> Any:
    """The VPC of an internet-facing load balancer, if it has no internet gateway."""
    vpc = next(iter(networks(call)), None)
    return vpc if call["Scheme"] != "internal" and vpc and not has_gateway(call, vpc) else None


def priorities_taken(call: Call) -> Any:
    wanted = {item["RuleArn"]: str(item["Priority"]) for item in call.each("RulePriorities")}
    for arn, priority in wanted.items():
        listener = arn.replace(":listener-rule/", ":listener/").rpartition("/")[0]
        for rule in call.all("DescribeRules", "Rules[]", ListenerArn=listener):
            if rule["RuleArn"] not in wanted and rule["Priority"] == priority:
                return priority
    return None


def _values(condition: dict[str, Any]) -> list[Any]:
    more = (value.get("Values") or [] for value in condition.values() if isinstance(value, dict))
    return [*(condition.get("Values") or []), *(item for values in more for item in values)]


def too_many_values(call: Call) -> bool:
    """A rule has at most five values, of which the copies in the older form don't count."""
    total = sum(
        max(len(item.get("Values") or []), len(_values({**item, "Values": []}))) for item in call.each("Conditions")
    )
    return total > 5


def wrong_source(call: Call) -> Any:
    found = call.each("Conditions[?Field=='source-ip'].SourceIpConfig.Values[]")
    return next((value for value in found if network(value) is None), None)


def outside(call: Call) -> Any:
    """The address of a target that is neither in the VPC nor private: it needs the zone ``all``, and may not be public."""
    group = call.find("DescribeTargetGroups", "TargetGroups[0]", TargetGroupArns=[call["TargetGroupArn"]]) or {}
    if group.get("TargetType") != "ip":
        return None
    for target in call.each("Targets[].Id"):
        try:
            address = ipaddress.ip_address(target)
        except ValueError:
            return target
        if address.version == 4 and not address.is_private and address not in ipaddress.ip_network("100.64.0.0/10"):
            return target
    return None


def certificate_used(call: Call) -> str | None:
    for listener in _listeners(call):
        path = "Certificates[].CertificateArn"
        found = call.all("elbv2:DescribeListenerCertificates", path, ListenerArn=listener["ListenerArn"])
        own = [item["CertificateArn"] for item in listener.get("Certificates") or []]
        if call["CertificateArn"] in [*found, *own]:
            return listener["LoadBalancerArn"]
    return None


def _name(value: Any) -> str:
    return str(value or "").rstrip(".").lower().replace("\\052", "*")


def _zone(call: Call) -> dict[str, Any]:
    return call.find("GetHostedZone", "@", Id=str(call["HostedZoneId"] or call["Id"]).rpartition("/")[2]) or {}


def _records(call: Call) -> list[dict[str, Any]]:
    zone = str(call["HostedZoneId"] or call["Id"]).rpartition("/")[2]
    return call.all("ListResourceRecordSets", "ResourceRecordSets", HostedZoneId=zone)


def _identity(record: dict[str, Any]) -> tuple[str, Any, Any]:
    return _name(record.get("Name")), record.get("Type"), record.get("SetIdentifier")


def wrong_change(call: Call) -> str | None:  # noqa: PLR0911 - one reason each
    """Why Route 53 refuses a batch of changes."""
    apex = _name((_zone(call).get("HostedZone") or {}).get("Name"))
    if not apex:
        return None
    existing = {_identity(item): item for item in _records(call)}
    for change in call.each("ChangeBatch.Changes"):
        record, action = change["ResourceRecordSet"], change["Action"]
        name, type_, _ = identity = _identity(record)
        shown = f"[name='{name}.', type='{type_}']"
        if name != apex and not name.endswith(f".{apex}"):
            return f"RRSet with DNS name {name}. is not permitted in zone {apex}."
        if action == "DELETE":
            if problem := _wrong_deletion(record, existing.pop(identity, None), apex, shown):
                return problem
            continue
        if action == "CREATE" and identity in existing:
            return f"Tried to create resource record set {shown} but it already exists"
        if type_ == "CNAME" and name == apex:
            return f"RRSet of type CNAME with DNS name {apex}. is not permitted at apex in zone {apex}."
        others = [known for known in existing if known[0] == name and known != identity]
        if any("CNAME" in (type_, kind) and kind != type_ for _, kind, _ in others):
            return (
                f"RRSet of type {type_} with DNS name {name}. conflicts with other records of the name in zone {apex}."
            )
        if problem := _wrong_record(record, shown):
            return problem
        existing[identity] = record
    return None


def _wrong_deletion(record: dict[str, Any], known: dict[str, Any] | None, apex: str, shown: str) -> str | None:
    if known is None:
        return f"Tried to delete resource record set {shown} but it was not found"
    if record.get("Type") in ("NS", "SOA") and _name(record.get("Name")) == apex:
        return f"A HostedZone must contain at least one {record['Type']} record for the zone itself."
    if _contents(record) != _contents(known):
        return f"Tried to delete resource record set {shown} but the values provided do not match the current values"
    return None


def _contents(record: dict[str, Any]) -> tuple[Any, Any, Any]:
    alias = record.get("AliasTarget") or {}
    values = sorted(item.get("Value") for item in record.get("ResourceRecords") or [])
    return str(record.get("TTL")), values, _name(alias.get("DNSName"))


def _wrong_record(record: dict[str, Any], shown: str) -> str | None:
    values = [str(item.get("Value")) for item in record.get("ResourceRecords") or []]
    type_ = record.get("Type")
    if not values and not record.get("AliasTarget"):
        return f"Expected exactly one of [AliasTarget, all of [TTL, and ResourceRecords]], but found none in Change with {shown}"
    if type_ == "CNAME" and len(values) > 1:
        return f"The resource record set {shown} has more than one value, which isn't permitted for CNAME"
    for value in values:
        wrong = (type_ == "A" and not _address(value, 4)) or (type_ == "AAAA" and not _address(value, 6))
        if wrong:
            return f"Invalid Resource Record: '{value}' is not a valid address of type {type_}"
        if type_ in ("TXT", "SPF") and not re.fullmatch(r'("(?:[^"\\]|\\.)*"\s*)+', value, re.DOTALL):
            return f"Invalid Resource Record: Value should be enclosed in quotation marks: '{value}'"
    return None


def _address(text: str, version: int) -> bool:
    try:
        return ipaddress.ip_address(text).version == version
    except ValueError:
        return False


def lost_set(call: Call) -> Any:
    """A set of addresses or patterns, or a group of rules, that a rule refers to and that doesn't exist."""
    scope = call["Scope"]
    lists = {
        "ipset": ("ListIPSets", "IPSets"),
        "regexpatternset": ("ListRegexPatternSets", "RegexPatternSets"),
        "rulegroup": ("ListRuleGroups", "RuleGroups"),
    }
    for arn in (str(value) for name, value in leaves(call["Rules"]) if name == "ARN"):
        kind = next((name for name in lists if f"/{name}/" in arn), None)
        if kind and f":{call.account}:" in arn:
            operation, key = lists[kind]
            if arn not in call.all(operation, f"{key}[].ARN", Scope=scope):
                return arn
    return None


def wrong_addresses(call: Call) -> Any:
    version = {"IPV4": 4, "IPV6": 6}.get(call["IPAddressVersion"])
    for text in call.each("Addresses"):
        block = network(text)
        if block is None or block.prefixlen == 0 or version not in (None, block.version):
            return text
    return None
