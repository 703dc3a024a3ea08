"""Parts of ARNs that are generated at each creation: what a plan shows as known after apply, with its values in the state.

AWS generates most of them, and the random provider others.
"""

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from sandbox.repository_rehearsal.decisions import Call
from sandbox.repository_rehearsal.least_privilege_role import pattern

_RESOURCE = re.compile(r"^[ \t+~-]*# (?P<address>\S.*?)(?: \(.*\))? (?:will|must) be .*$", re.MULTILINE)
_UNKNOWN = re.compile(r"^[ \t+~-]*\"?(?P<name>[\w-]+)\"? +=.*\(known after apply\)", re.MULTILINE)
_RANDOM = "/random"
_DISTINCTIVE = 4
"""From this length on, a value is replaced within words too. A shorter one, such as a version, is also a part of others."""


def values(plan: str, state: Mapping[str, Any]) -> list[str]:
    """The generated values, the longest first. ``plan`` is a plan's text, and ``state`` what `terraform show -json` prints."""
    unknown = _unknown(plan)
    known: set[str] = set()
    found: set[str] = set()
    for resource in _resources(state.get("values", {}).get("root_module", {})):
        names = unknown.get(resource["address"], frozenset())
        if resource["mode"] == "data" and resource["address"] in unknown:
            continue  # it was read during the apply, and may have generated values of others
        for name, value in resource["values"].items():
            if name not in names:
                known.update(_strings(value))
            elif isinstance(value, str):
                found.update(_generated(name, value, is_random=resource["provider_name"].endswith(_RANDOM)))
    found -= {part for text in known for part in (text, *re.split("[:/]", text))}
    # A name with a generated part in it stays as it is: only this part becomes a wildcard.
    parts = {value for value in found if len(value) >= _DISTINCTIVE}
    whole = (value for value in found if not any(part in value for part in parts - {value}))
    return sorted(whole, key=lambda value: (-len(value), value))


def without(calls: Iterable[Call], generated: Sequence[str]) -> list[Call]:
    """The calls with wildcards for the generated values in the names of their resources, and in the values of their keys."""
    if not generated:
        return list(calls)
    expression = re.compile("|".join(map(_expression, generated)))
    return [
        dataclasses.replace(call, resource=_widened(call.resource, expression), keys=_keys(call.keys, expression))
        for call in calls
    ]


def _unknown(plan: str) -> Mapping[str, set[str]]:
    """The names of the attributes that a plan doesn't know yet, by the resource's address."""
    headers = list(_RESOURCE.finditer(plan))
    ends = [*(header.start() for header in headers[1:]), len(plan)][: len(headers)]
    return {
        header["address"]: {item["name"] for item in _UNKNOWN.finditer(plan, header.end(), end)}
        for header, end in zip(headers, ends, strict=False)
    }


def _resources(module: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from module.get("resources", [])
    for child in module.get("child_modules", []):
        yield from _resources(child)


def _generated(name: str, value: str, *, is_random: bool) -> Iterator[str]:
    """The parts of an attribute's value that can be generated. Fixed words of ARNs and of other values have no digit."""
    if re.search("[:/]", value):
        parts = value.split(":", 5)[-1] if value.startswith("arn:") else value.partition("://")[2]
        candidates = [part for part in re.split("[:/]", parts) if re.search(r"\d", part)]
    else:
        is_identifier = is_random or name in ("id", "version") or name.endswith(("_id", "_ids"))
        candidates = [value] if is_identifier or re.search(r"\d", value) else []
    for part in candidates:
        is_distinctive = is_random or len(part) >= _DISTINCTIVE
        if part.isdigit() and (name == "version" or name.endswith("_arn")):
            yield f":{part}"  # the last part of the ARN of a layer, a function or a state machine
        # Accounts and host names aren't generated. A part that AWS' forms of IDs cover has a narrower wildcard.
        elif is_distinctive and re.fullmatch(r"\d{12}|\S+\.\S+", part) is None and pattern(part) == part:
            yield part


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _strings(item)


def _expression(value: str) -> str:
    literal = re.escape(value)
    if value.startswith(":"):
        return rf"(?<=:){value[1:]}$"
    return literal if len(value) >= _DISTINCTIVE else rf"(?<![A-Za-z0-9]){literal}(?![A-Za-z0-9])"


def _keys(keys: Mapping[str, Any], expression: re.Pattern[str]) -> dict[str, Any]:
    return {key: _widened(value, expression) if isinstance(value, str) else value for key, value in keys.items()}


def _widened(text: str, expression: re.Pattern[str]) -> str:
    """``text`` with wildcards, if it is an ARN: in the part that names the resource."""
    if not text.startswith("arn:"):
        return text
    *head, name = text.split(":", 5)
    return ":".join([*head, expression.sub("*", name)])
