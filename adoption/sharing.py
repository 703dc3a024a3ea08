"""Detects whether other services use the load balancer or the cluster of a running Atlantis. The program would change what they need.

The program manages a separate load balancer as a whole: its listeners answer 403 by default, its security group allows only
Atlantis' ranges, and its rules have fixed priorities. Of an existing one, which the stack file names, it manages only rules.
"""

from collections.abc import Iterator
from fnmatch import fnmatchcase

from adoption.anatomy import LISTENERS, RULES, Anatomy, target_groups
from adoption.listener_rules import priority_of, rules_of_others, taken_priorities
from adoption.pairing import LISTENER_RULE, Pairing
from adoption.state import StateResource


def problems(anatomy: Anatomy, pairing: Pairing) -> Iterator[str]:
    """A problem for a load balancer, a cluster or priorities that Atlantis doesn't have for itself."""
    yield from _cluster(anatomy)
    if anatomy.existing.listener_arn:
        yield from _another_listener(anatomy)
        yield from taken_priorities(pairing)
    elif (balancer := anatomy.load_balancer) is not None and (shared := list(_shared(anatomy, balancer))):
        listener = anatomy.https_listener
        way_out = f"{anatomy.listener_settings(listener.id)}: it then remains unchanged. Or g" if listener else "G"
        yield (
            f"The load balancer {balancer.get('name')} ({balancer.address}) is shared: {'; '.join(shared)}. This program "
            f"manages its own load balancer as a whole, and would change what the other service needs. {way_out}ive Atlantis a "
            "separate load balancer in Terraform, apply, and pull the state again"
        )


def notes(anatomy: Anatomy, pairing: Pairing) -> Iterator[str]:
    """What an existing listener lets pass in addition to the program's rules."""
    listener = anatomy.https_listener
    if not anatomy.existing.listener_arn or listener is None:
        return
    if anatomy.target_group_arn in target_groups(listener.get("default_action")):
        yield (
            f"The default action of {listener.address} leads to Atlantis, so requests for other hosts reach the server past its rules. "
            "After the first `up`, answer them with 404 in Terraform"
        )
    wanted = [item.inputs["priority"] for item in pairing.wanted.values() if item.type == LISTENER_RULE]
    own = [priority_of(rule) for rule in anatomy.leading_rules]
    host = anatomy.host
    moved = [
        f"{rule.address} (priority {priority_of(rule)})"
        for rule in rules_of_others(anatomy)
        if own and wanted and min(own) < priority_of(rule) < min(wanted) and _accepts(rule, host)
    ]
    if moved:
        yield (
            f"After the adoption, these rules come before Atlantis', which they didn't: {', '.join(moved)}. Let their host-header "
            f"condition exclude {host or 'the host of Atlantis'}, or set atlantis:listenerRulePriority to a smaller one"
        )


def _accepts(rule: StateResource, host: str) -> bool:
    """Whether the rule can match requests for a host, by its host-header condition if it has one."""
    names = [
        name.lower()
        for condition in rule.items_of("condition")
        for header in condition.get("host_header") or []
        for name in header.get("values") or []
    ]
    return not host or not names or any(fnmatchcase(host, name) for name in names)


def _cluster(anatomy: Anatomy) -> Iterator[str]:
    """Other services in the cluster, whose capacity providers and settings the program would set."""
    cluster, name = anatomy.cluster, anatomy.cluster_name
    if cluster is None or anatomy.existing.cluster_name:
        return
    others = [
        service
        for service in anatomy.state.of("aws_ecs_service")
        if service is not anatomy.service and str(service.get("cluster")).rpartition("/")[2] == name
    ]
    if not others:
        return
    if name == anatomy.service.get("name"):
        way_out = (
            "The cluster and the service have one name, which this program gives its own cluster. Give the service another name in "
            f"Terraform, apply, pull the state again, and set atlantis:clusterName to {name}"
        )
    else:
        way_out = f"Set atlantis:clusterName to {name}: the cluster then remains unchanged"
    listed = ", ".join(service.address for service in others)
    yield f"The cluster {name} ({cluster.address}) is shared: {listed}. {way_out}"


def _another_listener(anatomy: Anatomy) -> Iterator[str]:
    """A target group belongs to one load balancer, so the rules can't move to another."""
    named = anatomy.existing.listener_arn
    if anatomy.listeners and named not in anatomy.listeners:
        yield (
            f"httpsListenerArn is {named}, and the running rules are in {', '.join(dict.fromkeys(anatomy.listeners))}: AWS refuses a "
            f"target group in two load balancers. Set atlantis:httpsListenerArn to {anatomy.listeners[0]}"
        )


def _shared(anatomy: Anatomy, balancer: StateResource) -> Iterator[str]:
    listeners = {
        listener.id: listener
        for listener in anatomy.state.of(*LISTENERS)
        if listener.get("load_balancer_arn") == balancer.id
    }
    for listener in listeners.values():
        if others := target_groups(listener.get("default_action")) - {anatomy.target_group_arn}:
            yield f"the default action of {listener.address} (port {listener.get('port')}) leads to {_names(others)}"
    for rule in anatomy.state.of(*RULES):
        listener = listeners.get(str(rule.get("listener_arn")))
        if listener is not None and not anatomy.owns(rule):
            others = target_groups(rule.get("action")) - {anatomy.target_group_arn}
            yield (
                f"{rule.address} (priority {rule.get('priority')} of port {listener.get('port')}) "
                + (f"leads to {_names(others)}" if others else "isn't of Atlantis' module and doesn't lead to it")
            )


def _names(arns: set[str]) -> str:
    """The names in ARNs of target groups."""
    return "the target group " + ", ".join(sorted(arn.split("/")[1] for arn in arns))
