"""A row of the table of refusals."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import jmespath
from jmespath import Options
from jmespath.functions import Functions

from sandbox.testbed.local_aws.refusals.call import Call
from sandbox.testbed.yaml_files import read_yaml, table

SERVICES: Mapping[str, Mapping[str, str]] = read_yaml(Path(__file__).with_name("services.yaml"))


class _Functions(Functions):
    """The functions of an expression about a call: those of JMESPath, which accept null here, those below, and `module`'s."""

    def __init__(self, call: Call, module: ModuleType) -> None:
        self._call, self._module = call, module

    def call_function(self, function_name: str, resolved_args: Iterable[Any]) -> Any:
        """A function of `module` gets the call before the arguments; the first item is the result of a generator."""
        if own := getattr(self, function_name, None):
            return own(*resolved_args)
        if function := getattr(self._module, function_name, None):
            found = function(self._call, *resolved_args)
            return next(found, None) if isinstance(found, Iterator) else found
        return super().call_function(function_name, resolved_args)

    def find(self, operation: str, path: str, parameters: Mapping[str, Any] | None = None) -> Any:
        """What the local AWS answers to a describing call, at ``path``. ``$Name`` in it is a parameter of the refused call."""
        filled = re.sub(r"\$(\w+)", lambda name: f"`{json.dumps(self._call[name[1]])}`", path)
        return self._call.find(operation, filled, **(parameters or {}))

    def lost(self, named: Any, operation: str, path: str) -> Any:
        """The first of the IDs in ``named`` that a describing call doesn't return."""
        identities = named if isinstance(named, list) else [named] if named else []
        return self.missing(identities, self._call.all(operation, path)) if identities else None

    @staticmethod
    def missing(values: Sequence[Any] | None, known: Sequence[Any] | None) -> Any:
        """The first value that isn't among the known ones."""
        return next((value for value in values or () if value not in (known or ())), None)

    @staticmethod
    def common(values: Sequence[Any] | None, others: Sequence[Any] | None) -> Any:
        """The first value that is among the others."""
        return next((value for value in values or () if value in (others or ())), None)

    def own(self, arn: Any) -> bool:
        """Whether an ARN is of the call's account. What exists in others can't be known here."""
        return f":{self._call.account}:" in str(arn)

    def region(self) -> str:
        """The region of the call."""
        return self._call.region

    @staticmethod
    def matches(text: Any, pattern: str) -> bool:
        """Whether a text matches a regular expression as a whole."""
        return re.fullmatch(pattern, str(text or "")) is not None

    @staticmethod
    def parsed(text: Any) -> Any:
        """The value of a text in JSON; null if it isn't one."""
        try:
            return json.loads(text)
        except (ValueError, TypeError):
            return None

    @staticmethod
    def twice(values: Sequence[Any] | None) -> Any:
        """The first value that occurs more than once."""
        return next(
            (value for value, number in Counter(values or ()).items() if number > 1 and value is not None), None
        )

    @staticmethod
    def contains(values: Any, value: Any) -> bool:
        """JMESPath's function."""
        return value in (values or ())

    @staticmethod
    def starts_with(text: Any, prefix: str) -> bool:
        """JMESPath's function."""
        return str(text or "").startswith(prefix)

    @staticmethod
    def length(values: Any) -> int:
        """JMESPath's function."""
        return len(values or ())


@dataclass(frozen=True)
class Refusal:
    """What AWS refuses, and how.

    Attributes:
        operation: the SDK's name of the service and the operation, such as ``ec2:CreateSubnet``; several are separated by spaces.
        code: the error code on the wire.
        message: AWS' message. ``{found}`` is what the condition found, other names are JMESPath expressions of parameters.
        condition: a JMESPath expression of the parameters that is true if AWS refuses the call, or the text of ``{found}``.
        module: has the functions of the expression that JMESPath doesn't have.
        source: where AWS documents it; empty for the errors in the API reference of the operation.
    """

    operation: str
    code: str
    message: str
    condition: str
    module: ModuleType
    source: str = ""

    @property
    def operations(self) -> tuple[str, ...]:
        """Each operation with its service. Those after the first one are of the same service."""
        first, *others = self.operation.split()
        return first, *(f"{first.partition(':')[0]}:{other}" for other in others)

    def message_for(self, call: Call) -> str | None:
        """The message of the refusal; None if AWS accepts the call."""
        functions = Options(custom_functions=_Functions(call, self.module))
        found = _compiled(self.condition).search(call.parameters, options=functions)
        return self.message.format_map(_Values(call, found)) if found else None


_compiled = cache(jmespath.compile)


def rows(module: ModuleType) -> list[Refusal]:
    """The rows of the YAML file next to a module."""
    return [
        Refusal(row["refuses"], row["code"], row["message"], row["if"], module, row.get("source", ""))
        for row in table(str(module.__file__))
    ]


class _Values(dict[str, Any]):
    def __init__(self, call: Call, found: Any) -> None:
        super().__init__(found=found)
        self._call = call

    def __missing__(self, name: str) -> Any:
        return self._call[name]


def reference(refusal: Refusal) -> str:
    """The page of AWS that documents the refusal."""
    service, _, operation = refusal.operations[0].partition(":")
    return refusal.source or f"https://docs.aws.amazon.com/{SERVICES[service]['reference']}/API_{operation}.html"
