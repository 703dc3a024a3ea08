"""Atlantis' rules in a listener that others use too: which of the program's rules they become, and the priorities of those."""

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from adoption.anatomy import RULES, Anatomy
from adoption.pairing import LISTENER_RULE, Pairing
from adoption.proposal import Proposal
from adoption.state import StateResource
from components.ingress.existing_listener import default_priority
from components.ingress.listener_rules import WEBHOOK_PATH
from components.settings.accepted import MOST_LISTENER_RULES

_LAST_PRIORITY = 50_000


def is_for_webhooks(conditions: Any) -> bool:
    """Whether a rule with these conditions is for webhooks only."""
    return f'"{WEBHOOK_PATH}"' in json.dumps(conditions)


def rules_of_others(anatomy: Anatomy) -> list[StateResource]:
    """The rules of the existing listener that aren't Atlantis' own, as far as the state has them."""
    return [rule for rule in _rules(anatomy) if not anatomy.owns(rule)]


def _rules(anatomy: Anatomy) -> list[StateResource]:
    listener = anatomy.existing.listener_arn
    return [rule for rule in anatomy.state.of(*RULES) if listener and rule.get("listener_arn") == listener]


def priority_of(rule: StateResource) -> int:
    """The priority; 0 if the state doesn't have it."""
    text = str(rule.get("priority"))
    return int(text) if text.isdecimal() else 0


def priorities(anatomy: Anatomy) -> Iterator[Proposal]:
    """The first priority of the program's rules, if the default one isn't free, or rules of others would come first."""
    rules = [rule for rule in _rules(anatomy) if priority_of(rule)]
    if not rules or anatomy.existing.rule_priority:
        return
    others = [priority_of(rule) for rule in rules if not anatomy.owns(rule)]
    own = [priority_of(rule) for rule in rules if anatomy.owns(rule)]
    near = min(own, default=_LAST_PRIORITY)
    default = default_priority(anatomy.base_name)
    taken = sorted({priority_of(rule) for rule in rules})

    def before(start: int) -> int:
        """Rules of others that come before the program's, and not before the running ones."""
        return sum(near < other < start for other in others)

    is_free = not any(default <= priority < default + MOST_LISTENER_RULES for priority in taken)
    if is_free and not before(default):
        return
    starts = [low + 1 for low, high in pairwise([0, *taken, _LAST_PRIORITY + 1]) if high - low > MOST_LISTENER_RULES]
    if starts:
        first = min(starts, key=lambda start: (before(start), abs(start - near)))
        yield Proposal(
            "listenerRulePriority",
            first,
            f"the first of {MOST_LISTENER_RULES} free priorities, with the rules of others before and after them as now",
        )


def taken_priorities(pairing: Pairing) -> Iterator[str]:
    """A problem for each rule of others, or of Atlantis, whose priority the program gives to another rule."""
    wanted = {int(item.inputs["priority"]): item.name for item in pairing.wanted.values() if item.type == LISTENER_RULE}
    paired = {id(pair.actual): name for name, pair in pairing.pairs.items()}
    for rule in _rules(pairing.anatomy):
        name = wanted.get(priority_of(rule))
        if name is not None and paired.get(id(rule)) != name:
            yield (
                f"{name}: {rule.address} has the priority {priority_of(rule)} in the listener already. Remove "
                "atlantis:listenerRulePriority, so that a free one is proposed, or set another"
            )


def pair_own_rules(pairing: Pairing) -> None:
    """Pair Atlantis' rules in the existing listener with rules of the program for the same requests. Their priorities change."""
    wanted = [
        item
        for item in sorted(pairing.wanted.values(), key=lambda item: item.inputs.get("priority", 0))
        if item.type == LISTENER_RULE and item.name not in pairing.pairs and "targetGroupArn" in str(item.inputs)
    ]
    listener = pairing.anatomy.existing.listener_arn
    for rule in sorted(pairing.anatomy.leading_rules, key=priority_of):
        if not pairing.anatomy.owns(rule) or rule.get("listener_arn") != listener or not pairing.free(rule):
            continue
        purpose = is_for_webhooks(rule.get("condition"))
        found = next((item for item in wanted if is_for_webhooks(item.inputs.get("conditions")) == purpose), None)
        if found is not None:
            wanted.remove(found)
            pairing.take(found, rule)
