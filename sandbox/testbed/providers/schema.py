"""Resource schemas from the installed SDK: property names, types, required properties.

They are read from the SDK's classes once per SDK version and cached as JSON, because importing the SDK takes longer
than the rest of the startup.
"""

from __future__ import annotations

import enum
import hashlib
import importlib
import importlib.metadata
import inspect
import json
import re
import threading
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.testbed.files import write_private
from sandbox.testbed.paths import CACHE

FOLDER = CACHE / "providers"
"""The cached schemas, which all runs in this checkout share."""
LOADING = threading.Lock()
"""Held while schemas are looked up and loaded: two threads can't import the SDK at the same time."""


@dataclass
class Shape:
    """The type of a value, including limits from the service model."""

    kind: str
    """string, integer, number, boolean, array, map, object or any."""
    element: Shape | None = None
    properties: dict[str, Shape] = field(default_factory=dict)
    required: list[str] = field(default_factory=list)
    enum: list[str] = field(default_factory=list)
    pattern: str = ""
    minimum: float | None = None
    """The minimum of a number, or the minimum length of a string or list."""
    maximum: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Only values that differ from the defaults, to keep the file small."""
        shape: dict[str, Any] = {"kind": self.kind}
        if self.element:
            shape["element"] = self.element.to_json()
        if self.properties:
            shape["properties"] = {name: item.to_json() for name, item in self.properties.items()}
        for name in ("required", "enum", "pattern", "minimum", "maximum"):
            if getattr(self, name) not in ([], "", None):
                shape[name] = getattr(self, name)
        return shape

    @staticmethod
    def from_json(shape: Mapping[str, Any]) -> Shape:
        """The inverse of `to_json`."""
        rest = {name: value for name, value in shape.items() if name not in ("element", "properties")}
        return Shape(
            element=Shape.from_json(shape["element"]) if "element" in shape else None,
            properties={name: Shape.from_json(item) for name, item in shape.get("properties", {}).items()},
            **rest,
        )


@dataclass
class ResourceSchema:
    """Inputs (as an object shape) and output names of one resource type or function."""

    inputs: Shape
    outputs: dict[str, Shape]
    computed: list[str] = field(default_factory=list)
    """Optional inputs whose outputs always have a value: AWS chooses it if the program doesn't."""


Refine = Callable[[str, Shape], None]
"""Adds a service's limits to the inputs of the resource type with the given token."""


def load(package: str, tokens: list[str], refine: Refine, sources: list[Path]) -> dict[str, ResourceSchema]:
    """Schemas of the resource types and functions named by `tokens`.

    `package` is the SDK's distribution name (pulumi-aws). `sources` are the files besides the SDK that affect the
    result.
    """
    digest = hashlib.sha256("\n".join(tokens).encode())
    for source in [*sources, Path(__file__)]:
        digest.update(source.read_bytes())
    version = importlib.metadata.version(package)
    file = FOLDER / f"{package}-{version}-{digest.hexdigest()[:16]}.json"
    try:
        stored = json.loads(file.read_text())
    except (FileNotFoundError, json.JSONDecodeError):
        schemas = {token: _introspect(package.replace("-", "_"), token) for token in tokens}
        for token, schema in schemas.items():
            refine(token, schema.inputs)
        stored = {
            token: {
                **s.__dict__,
                "inputs": s.inputs.to_json(),
                "outputs": {name: shape.to_json() for name, shape in s.outputs.items()},
            }
            for token, s in schemas.items()
        }
        for outdated in FOLDER.glob(f"{package}-*.json"):
            outdated.unlink(missing_ok=True)
        write_private(file, json.dumps(stored))
    return {token: _loaded(item) for token, item in stored.items()}


def _loaded(stored: Mapping[str, Any]) -> ResourceSchema:
    outputs = {name: Shape.from_json(shape) for name, shape in stored["outputs"].items()}
    return ResourceSchema(Shape.from_json(stored["inputs"]), outputs, stored["computed"])


def _introspect(package: str, token: str) -> ResourceSchema:
    _, path, name = token.split(":")
    # A module is a folder and a file (ec2/vpc) or, in awsx, the folder only.
    parts = [_snake(part) for part in path.split("/") if part != "index"]
    module = importlib.import_module(".".join([package, *parts]))
    if name[0].islower():
        return _introspect_function(module, _snake(name))
    import pulumi  # noqa: PLC0415  (only on a cache miss)

    resource = getattr(module, name)
    inputs = _object(getattr(module, f"{name}InitArgs", None) or getattr(module, f"{name}Args"))
    outputs = pulumi._types.resource_pulumi_to_py_names(resource)
    hints = {wire: _output(getattr(resource, name).fget) for wire, name in sorted(outputs.items())}
    optional = [wire for wire in outputs if wire in inputs.properties and wire not in inputs.required]
    computed = [wire for wire in optional if type(None) not in typing.get_args(hints[wire])]
    return ResourceSchema(inputs, {wire: _shape(hint) for wire, hint in hints.items()}, computed)


def _output(getter: Any) -> Any:
    """The type T of a resource class' property, which is an `Output[T]`."""
    (inner,) = typing.get_args(_hints(getter)["return"])
    return inner


def _introspect_function(module: types.ModuleType, name: str) -> ResourceSchema:
    function = getattr(module, name)
    names = dict(re.findall(r"__args__\['(\w+)'\] = (\w+)", inspect.getsource(function)))
    hints = _hints(function)
    inputs = Shape("object", properties={wire: _shape(hints[parameter]) for wire, parameter in names.items()})
    result = module.__dict__["".join(part.title() for part in name.split("_")) + "Result"]
    import pulumi  # noqa: PLC0415

    outputs = pulumi._types.output_type_types(result)
    return ResourceSchema(inputs, {name: _shape(hint) for name, hint in sorted(outputs.items())})


def _hints(function: Any) -> dict[str, Any]:
    import pulumi  # noqa: PLC0415

    names = {**importlib.import_module(function.__module__).__dict__, "Output": pulumi.Output, "T": Any}
    return typing.get_type_hints(function, globalns=names)


def _object(arguments: type) -> Shape:
    import pulumi  # noqa: PLC0415

    initializer: Any = arguments.__init__
    hints = _hints(initializer)
    shape = Shape("object")
    for name, wire in pulumi._types.input_type_py_to_pulumi_names(arguments).items():
        shape.properties[wire] = _shape(hints[name])
        if inspect.signature(initializer).parameters[name].default is inspect.Parameter.empty:
            shape.required.append(wire)
    return shape


_SCALARS: Mapping[object, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}


def _shape(hint: Any) -> Shape:
    """The shape of an annotation such as `Input[Optional[Sequence[Input[str]]]]`."""
    import pulumi  # noqa: PLC0415

    origin = typing.get_origin(hint)
    arguments = typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        rest = [a for a in arguments if a is not type(None) and not _is_wrapper(a) and not typing.is_typeddict(a)]
        kinds = {shape.kind: shape for shape in map(_shape, rest)}
        return next(iter(kinds.values())) if len(kinds) == 1 else Shape("any")
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return Shape("map", element=_shape(arguments[1]))
    if isinstance(origin, type) and issubclass(origin, typing.Sequence):
        return Shape("array", element=_shape(arguments[0]))
    if isinstance(hint, type) and pulumi._types.is_input_type(hint):
        return _object(hint)
    is_enum = isinstance(hint, type) and issubclass(hint, enum.Enum)
    return Shape("string" if is_enum else _SCALARS.get(hint, "any"))


def _is_wrapper(hint: Any) -> bool:
    """Whether a member of a union is the `Awaitable[T]` or `Output[T]` that `Input[T]` adds to T."""
    origin = typing.get_origin(hint) or hint
    return getattr(origin, "__name__", "") in ("Output", "Awaitable")


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
