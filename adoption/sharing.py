"""Detects whether other services use the load balancer of a running Atlantis. The program would change what they need.

The program manages a load balancer as a whole: its listeners answer 403 by default, its security group allows only Atlantis'
ranges, and its rules have fixed priorities.
"""

from collections.abc import Iterator

from adoption.anatomy import LISTENERS, RULES, Anatomy, target_groups
from adoption.state import StateResource

__all__ = ["problems"]

_FIX = (
    "This program manages the load balancer as a whole, and would change what the other service needs. Give Atlantis a load "
    "balancer of its own in Terraform, apply, and pull the state again"
)


def problems(anatomy: Anatomy) -> Iterator[str]:
    """A problem for a load balancer, or a target group, that Atlantis doesn't have for itself."""
    balancer = anatomy.load_balancer
    if balancer is None:
        return
    shared = list(_shared(anatomy, balancer))
    if shared:
        yield f"The load balancer {balancer.attributes.get('name')} ({balancer.address}) is shared: {'; '.join(shared)}. {_FIX}"


def _shared(anatomy: Anatomy, balancer: StateResource) -> Iterator[str]:
    listeners = {
        listener.id: listener
        for listener in anatomy.state.of(*LISTENERS)
        if listener.attributes.get("load_balancer_arn") == balancer.id
    }
    for listener in listeners.values():
        if others := target_groups(listener.attributes.get("default_action")) - {anatomy.target_group_arn}:
            yield f"the default action of {listener.address} (port {listener.attributes.get('port')}) leads to {_names(others)}"
    for rule in anatomy.state.of(*RULES):
        listener = listeners.get(str(rule.attributes.get("listener_arn")))
        if listener is not None and not anatomy.owns(rule):
            others = target_groups(rule.attributes.get("action")) - {anatomy.target_group_arn}
            yield (
                f"{rule.address} (priority {rule.attributes.get('priority')} of port {listener.attributes.get('port')}) "
                + (f"leads to {_names(others)}" if others else "isn't of Atlantis' module and doesn't lead to it")
            )


def _names(arns: set[str]) -> str:
    """The names in ARNs of target groups."""
    return "the target group " + ", ".join(sorted(arn.split("/")[1] for arn in arns))
