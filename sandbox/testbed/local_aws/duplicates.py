"""Refuses what AWS refuses and ministack accepts: a second rule, listener or load balancer where AWS allows one.

Without it, a deployment next to existing resources would succeed here and fail in AWS.
"""

from collections.abc import Callable, Mapping
from typing import Any

from ministack.services import alb, ec2

__all__ = ["install"]

Handler = Callable[[Mapping[str, Any]], Any]


def install() -> None:
    """Install the changes. Must be called in ministack's process."""
    ec2._parse_ip_permissions = _without_ports_of_all_protocols(ec2._parse_ip_permissions)
    network: dict[str, Any] = ec2._ACTION_MAP
    for direction, key in (("Ingress", "IpPermissions"), ("Egress", "IpPermissionsEgress")):
        action = f"AuthorizeSecurityGroup{direction}"
        network[action] = _refuse_existing_rules(network[action], key)
    balancers: dict[str, Any] = alb._ACTION_MAP
    balancers["CreateListener"] = _refuse_second_port(balancers["CreateListener"])
    balancers["CreateRule"] = _refuse_second_priority(balancers["CreateRule"])
    for action, parameter in (
        ("CreateListener", "DefaultActions"),
        ("ModifyListener", "DefaultActions"),
        ("CreateRule", "Actions"),
        ("ModifyRule", "Actions"),
    ):
        balancers[action] = _refuse_second_load_balancer(balancers[action], parameter)


def _without_ports_of_all_protocols(own: Callable[..., list[dict[str, Any]]]) -> Callable[..., list[dict[str, Any]]]:
    """EC2 ignores the ports of a rule for all protocols: Terraform revokes a new group's default rule with the port 0."""

    def parse(*arguments: Any) -> list[dict[str, Any]]:
        rules = own(*arguments)
        for rule in rules:
            if rule["IpProtocol"] == "-1":
                rule.pop("FromPort", None)
                rule.pop("ToPort", None)
        return rules

    return parse


def _refuse_existing_rules(own: Handler, key: str) -> Handler:
    """EC2 identifies a rule by everything but its description and its tags."""

    def authorize(parameters: Mapping[str, Any]) -> Any:
        group = ec2._security_groups.get(ec2._p(parameters, "GroupId")) or {key: []}
        for rule in ec2._parse_ip_permissions(parameters, "IpPermissions"):
            if any(ec2._rules_match(rule, existing) for existing in group[key]):
                peers = [*rule["IpRanges"], *rule["Ipv6Ranges"], *rule["UserIdGroupPairs"], *rule["PrefixListIds"]]
                peer = ", ".join(str(value) for item in peers for name, value in item.items() if name != "Description")
                ports = f"{rule.get('FromPort', 'all')} to {rule.get('ToPort', 'all')}"
                message = (
                    f'the specified rule "peer: {peer}, {rule["IpProtocol"]}, from port: {ports}, ALLOW" already exists'
                )
                return ec2._error("InvalidPermission.Duplicate", message, 400)
        return own(parameters)

    return authorize


def _refuse_second_port(own: Handler) -> Handler:
    def create(parameters: Mapping[str, Any]) -> Any:
        balancer, port = alb._p(parameters, "LoadBalancerArn"), alb._p(parameters, "Port")
        for listener in alb._listeners.values():
            if listener["LoadBalancerArn"] == balancer and str(listener["Port"]) == port:
                return alb._error(
                    "DuplicateListener", f"A listener already exists on this port for this load balancer '{balancer}'"
                )
        return own(parameters)

    return create


def _refuse_second_priority(own: Handler) -> Handler:
    def create(parameters: Mapping[str, Any]) -> Any:
        listener, priority = alb._p(parameters, "ListenerArn"), alb._p(parameters, "Priority")
        for rule in alb._rules.values():
            if rule["ListenerArn"] == listener and str(rule["Priority"]) == priority:
                return alb._error("PriorityInUse", f"Priority '{priority}' is currently in use")
        return own(parameters)

    return create


def _refuse_second_load_balancer(own: Handler, parameter: str) -> Handler:
    """A target group receives requests from one load balancer only."""

    def call(parameters: Mapping[str, Any]) -> Any:
        balancer = _load_balancer(parameters)
        for group in _requested(parameters, parameter) if balancer else ():
            if any(balancer != other for other in _used_by(group)):
                message = f"The following target groups cannot be associated with more than one load balancer: {group}"
                return alb._error("TargetGroupAssociationLimit", message)
        return own(parameters)

    return call


def _load_balancer(parameters: Mapping[str, Any]) -> str:
    """The load balancer of a call that names it, a listener or a rule; empty if it doesn't exist."""
    if named := alb._p(parameters, "LoadBalancerArn"):
        return named
    rule = alb._rules.get(alb._p(parameters, "RuleArn")) or {}
    listener = alb._listeners.get(alb._p(parameters, "ListenerArn") or rule.get("ListenerArn", "")) or {}
    return listener.get("LoadBalancerArn", "")


def _requested(parameters: Mapping[str, Any], parameter: str) -> set[str]:
    """The target groups that the actions of a call forward to, alone or by weight, which ministack doesn't store."""
    keys = [name for name in parameters if name.startswith(f"{parameter}.member.") and name.endswith("TargetGroupArn")]
    return {alb._p(parameters, name) for name in keys}


def _target_groups(actions: list[Mapping[str, Any]]) -> set[str]:
    return {action["TargetGroupArn"] for action in actions if action.get("TargetGroupArn")}


def _used_by(group: str) -> set[str]:
    """The load balancers whose listeners or rules forward to a target group."""
    listeners: Any = alb._listeners
    found = {item["LoadBalancerArn"] for item in listeners.values() if group in _target_groups(item["DefaultActions"])}
    for rule in alb._rules.values():
        if rule["ListenerArn"] in listeners and group in _target_groups(rule["Actions"]):
            found.add(listeners[rule["ListenerArn"]]["LoadBalancerArn"])
    return found
