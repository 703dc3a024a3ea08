"""What a row of the policy tests is: a stack, the checks that it is about, what they say of it, and why."""

import copy
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import pairwise, starmap
from pathlib import Path
from typing import Any, Final, Literal

import yaml

from policies.catalogue import RULES
from tests.policy.servicer import UNKNOWN, Finding, Pack, Planned, secret
from tests.tables import table

Outcome = Literal["violation", "undecided", "nothing"]
ACCOUNT: Final = "123456789012"
KEY: Final = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/11111111-2222-3333-4444-555555555555"
MANDATORY: Final = frozenset(rule.name for rule in RULES if rule.level == "mandatory")
ABSENT: Final = object()
"""Replaces a value: the property is not there."""
NOT_JSON: Final = '{"Statement": ['
SOUND: Final = "as it should be"
_WRONG_TYPE: Final = {"unexpected": [1.5, None]}


@dataclass(frozen=True)
class Row:
    """One row. why: what is special about the stack. expected: what the checks may say of it, or nothing at all.

    configuration: by policy. on: the resource that the finding is about; empty for any. reported: for a passing stack, what
    AWS reports in addition to the author's inputs, by resource; unknown in the preview. changed: a resource and the path of
    the property that the rows of ``values`` vary.
    """

    why: str
    checks: tuple[tuple[str, str], ...]
    expected: frozenset[Outcome]
    resources: tuple[Planned, ...]
    configuration: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    on: str = ""
    reported: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    changed: tuple[str, str] = ("", "")

    @property
    def label(self) -> str:
        """How pytest names it."""
        return f"{'-'.join(self.checks[0])}-{'-'.join(sorted(self.expected))}-{self.why}".replace(" ", "-")

    def outcome(self) -> tuple[Outcome, list[Finding]]:
        """What the checks say, and the findings."""
        found = Pack(self.configuration).review(*self.resources)
        own = [each for each in found if (each.policy, each.check) in self.checks and self.on in ("", each.name)]
        if own:
            return "violation", own
        names = tuple(f"({check})" for _, check in self.checks)
        undecided = [
            each for each in found if each.policy == "evaluation-report" and any(name in each.message for name in names)
        ]
        return ("undecided" if undecided else "nothing"), found

    def alarms(self) -> list[Finding]:
        """What mandatory policies say of the preview that creates the stack, and of the deployed stack."""
        found: list[Finding] = []
        for planned in (True, False):
            pack = Pack(self.configuration)
            outputs: list[Planned] = []
            for each in self.resources:
                found += pack.analyze(each)
                more = self.reported.get(each.name, {})
                computed = (
                    {**dict.fromkeys(more, UNKNOWN), **each.properties} if planned else {**each.properties, **more}
                )
                outputs.append(replace(each, properties=computed))
            found += pack.analyze_stack(outputs)
        return [each for each in found if each.policy in MANDATORY]


def pairs(checks: str) -> tuple[tuple[str, str], ...]:
    """Checks as ``policy/check``, separated by spaces, as pairs."""
    return tuple((each.partition("/")[0], each.partition("/")[2]) for each in checks.split())


def found(check: str, why: str, *resources: Planned, **configuration: Any) -> Row:
    """A stack that the check (``policy/check``) must report. configuration: of the policy."""
    return Row(why, pairs(check), frozenset({"violation"}), resources, {check.partition("/")[0]: configuration})


def passes(check: str, why: str, *resources: Planned, **configuration: Any) -> Row:
    """A stack that the check must not report."""
    return replace(found(check, why, *resources, **configuration), expected=frozenset({"undecided", "nothing"}))


def _exactly(outcome: Outcome, check: str, why: str, *resources: Planned, **configuration: Any) -> Row:
    return replace(found(check, why, *resources, **configuration), expected=frozenset({outcome}))


def both(check: str, why: str, bad: Planned, good: Planned, **configuration: Any) -> tuple[Row, Row]:
    """A resource with a fault, and the passing case."""
    return found(check, why, bad, **configuration), passes(check, why, good, **configuration)


def passing(
    near: str,
    why: str,
    *resources: Planned,
    reported: Mapping[str, Mapping[str, Any]] | None = None,
    **configuration: Any,
) -> Row:
    """A stack on which no mandatory policy may speak.

    near: the checks whose faults it resembles; configuration: of each policy.
    """
    return Row(why, pairs(near), frozenset({"nothing"}), resources, configuration, reported=reported or {})


def values(
    check: str,
    resources: tuple[Planned, ...],
    path: str,
    bad: Any,
    *,
    target: str = "",
    absent: Outcome | None = "violation",
    unknown: Outcome = "undecided",
    malformed: Outcome = "violation",
    malformed_value: Any = _WRONG_TYPE,
    configuration: Mapping[str, Any] | None = None,
    reported: str = "",
) -> tuple[Row, ...]:
    """The rows of one property of one resource: fine, bad, secret, absent, unknown, malformed.

    resources: a stack in which the check finds nothing. path: the property of the resource ``target`` (the first one) that is
    changed, as ``rules[0].name``. bad: a value that the check must report. absent, unknown, malformed: what the check says of
    those; absent is None where the property is absent in the good stack already. reported: the resource that the finding is
    about, if it isn't the one that is changed.
    """
    name = target or resources[0].name
    kind = next(each for each in resources if each.name == name).type.rpartition(":")[2]
    tried: list[tuple[str, Any, Outcome]] = [
        ("bad", bad, "violation"),
        ("bad and secret", secret(bad), "violation"),
        ("unknown", UNKNOWN, unknown),
        ("malformed", malformed_value, malformed),
    ]
    if absent is not None:
        tried.append(("absent", ABSENT, absent))

    def row(why: str, stack: tuple[Planned, ...], outcome: Outcome) -> Row:
        given = {check.partition("/")[0]: configuration or {}}
        expected: frozenset[Outcome] = frozenset({outcome})
        why = f"{kind} {path} {why}"
        return Row(why, pairs(check), expected, stack, given, reported or name, changed=(name, path))

    broken = (row(why, changed(resources, name, path, value), outcome) for why, value, outcome in tried)
    return row(SOUND, resources, "nothing"), *broken


def changed(resources: tuple[Planned, ...], name: str, path: str, value: Any) -> tuple[Planned, ...]:
    """The resources with one property of one of them changed, or removed (``ABSENT``)."""
    return tuple(
        replace(each, properties=with_value(each.properties, path, value)) if each.name == name else each
        for each in resources
    )


def with_value(properties: Mapping[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A deep copy of properties with the value at a path changed; steps on the way that are missing are made."""
    result = copy.deepcopy(dict(properties))
    steps = [int(step) if step.isdigit() else step for step in re.findall(r"[^.\[\]]+", path)]
    container: Any = result
    for step, following in pairwise(steps):
        if isinstance(container, dict) and step not in container:
            container[step] = [] if isinstance(following, int) else {}
        container = container[step]
    if value is ABSENT:
        del container[steps[-1]]
    elif isinstance(container, list) and steps[-1] == len(container):
        container.append(value)
    else:
        container[steps[-1]] = value
    return result


def one(canonical: str, name: str = "it", /, **properties: Any) -> Planned:
    """A resource by the rules' name of its type, with nothing but these properties."""
    kind = canonical.rpartition("/")[2]
    return Planned(f"aws:{canonical}:{kind[0].upper()}{kind[1:]}", name, properties)


def known(resource: Planned, **dependencies: tuple[str, ...]) -> Planned:
    """The resource, with the dependencies of its properties."""
    return replace(resource, dependencies=dependencies)


def allow(**statement: Any) -> dict[str, Any]:
    """An Allow."""
    return {"Effect": "Allow", "Action": "*", "Resource": "*", **statement}


def deny(**statement: Any) -> dict[str, Any]:
    """A Deny."""
    return {**allow(**statement), "Effect": "Deny"}


def document(*statements: Mapping[str, Any]) -> str:
    """A policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


TLS_ONLY: Final = document(deny(Principal="*", Condition={"Bool": {"aws:SecureTransport": "false"}}))


@dataclass(frozen=True)
class _Computed:
    """A value, and the resource that it was computed from."""

    origin: str
    value: Any = UNKNOWN


class _Loader(yaml.CSafeLoader):
    """Reads what properties can't have in YAML: a string with a policy document or other JSON, and an unknown value."""

    def json_of(self, node: yaml.SequenceNode | yaml.MappingNode) -> str:
        # With a separate loader, because this one may not yet have read a part to its end that has an anchor.
        own = _Loader("")
        is_list = isinstance(node, yaml.SequenceNode)
        return json.dumps(
            own.construct_sequence(node, deep=True) if is_list else own.construct_mapping(node, deep=True)
        )

    def policy(self, node: yaml.SequenceNode) -> str:
        return document(*(allow(**statement) for statement in json.loads(self.json_of(node))))

    def computed(self, node: yaml.ScalarNode | yaml.SequenceNode) -> _Computed:
        if isinstance(node, yaml.ScalarNode):
            return _Computed(node.value)
        origin, value = self.construct_sequence(node, deep=True)
        return _Computed(origin, value)


_Loader.add_constructor("!json", _Loader.json_of)
_Loader.add_constructor("!policy", _Loader.policy)
_Loader.add_constructor("!unknown", lambda *_: UNKNOWN)
_Loader.add_constructor("!from", _Loader.computed)
_OUTCOMES: Final = {
    "found": (found,),
    "passes": (passes,),
    "both": (found, passes),
    "undecided": (partial(_exactly, "undecided"),),
    "nothing": (partial(_exactly, "nothing"),),
    "passing": (passing,),
}


def written(name: str) -> list[Row]:
    """The rows of ``rows_<name>.yaml``.

    A row: ``found``, ``passes``, ``both`` with a stack for each, or the ``Outcome``; the check; why; the stack's resources by
    type and, if it isn't ``it``, name; the policy's configuration. ``passing``: what AWS reports and the policies'
    configurations, as the function of that name. ``!policy`` is a document of statements, each an Allow of everything unless
    it says something else; ``!json`` a string; ``!unknown`` a value that isn't known in the preview; ``!from name`` one that is
    computed from the resource ``name``, as ``!from [name, 7]``, which is known.
    """
    made: list[Row] = []
    for outcome, check, why, *rest in _table(name):
        verdicts = _OUTCOMES[outcome]
        stacks, configuration = rest[: len(verdicts)], dict(*rest[len(verdicts) :])
        for verdict, stack in zip(verdicts, stacks, strict=True):
            made.append(verdict(check, why, *starmap(_resource, stack.items()), **configuration))
    return made


def varied() -> list[Row]:
    """The rows of each property in ``rows_values.yaml``, as ``values`` makes them."""
    return [
        row
        for check, path, bad, stack, *expected in _table("values")
        for row in values(check, tuple(starmap(_resource, stack.items())), path, bad, **dict(*expected))
    ]


def _table(name: str) -> list[list[Any]]:
    return table(str(Path(__file__).with_name(f"rows_{name}")), "rows", _Loader)


def _resource(key: str, properties: Mapping[str, Any]) -> Planned:
    kind, _, name = key.partition(" ")
    origins = {each: _origins(value) for each, value in properties.items()}
    made = one(kind, name or "it", **{each: _known(value) for each, value in properties.items()})
    made = known(made, **{each: names for each, names in origins.items() if names})
    return replace(made, type=kind) if ":" in kind else made


def _origins(value: Any) -> tuple[str, ...]:
    """The resources that a property was computed from."""
    if isinstance(value, _Computed):
        return (value.origin,)
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return tuple(name for each in inner for name in _origins(each))


def _known(value: Any) -> Any:
    """A property as the engine sends it."""
    if isinstance(value, dict):
        return {name: _known(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_known(each) for each in value]
    return value.value if isinstance(value, _Computed) else value
