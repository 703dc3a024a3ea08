"""Parses an AWS request into the client's call, for the query, JSON and REST protocols.

botocore only serializes requests. Its service models contain the serialized names, which are used for parsing here.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote
from xml.etree.ElementTree import Element

from botocore.model import OperationModel
from defusedxml import ElementTree

from sandbox.testbed.iam_evaluation import service_models


@dataclass(frozen=True)
class HttpRequest:
    """A request to the local AWS.

    Attributes:
        service: the local AWS' name of the service, such as ``elasticfilesystem``.
        form: the parameters of a query protocol, or of the query string.
    """

    service: str
    form: Mapping[str, Any]
    body: bytes
    method: str = "POST"
    path: str = "/"
    headers: Mapping[str, str] = field(default_factory=dict)


def parameters_of(request: HttpRequest, operation: str) -> dict[str, Any]:
    """The input of ``operation``; empty for an unknown operation."""
    if "Action" not in request.form and "x-amz-target" in request.headers:
        return _json(request.body)
    model = service_models.operation(request.service, operation)
    shape: Any = model.input_shape if model else None
    if model is None or shape is None:
        return {} if model else _json(request.body)
    if "Action" not in request.form:
        return _rest(model, request)
    flat = {name: value[0] if isinstance(value, list) else value for name, value in request.form.items()}
    return _structure(shape, "", flat, ec2=model.service_model.metadata["protocol"] == "ec2")


def form_parameters(service: str, form: Mapping[str, Any]) -> dict[str, Any]:
    """The input of the operation that a form of a query protocol names."""
    action = form["Action"]
    return parameters_of(HttpRequest(service, form, b""), action[0] if isinstance(action, list) else action)


def _rest(model: OperationModel, request: HttpRequest) -> dict[str, Any]:
    shape: Any = model.input_shape
    labels = _labels(model.http["requestUri"], request.path)
    query = {name: value if isinstance(value, list) else [value] for name, value in request.form.items()}
    is_xml = model.service_model.metadata["protocol"] == "rest-xml"
    body: Any = _xml_body(shape, request.body) if is_xml else _json(request.body)
    if payload := shape.serialization.get("payload"):
        is_text = shape.members[payload].type_name == "string"
        body = {payload: request.body.decode(errors="replace") if is_text else body} if body or is_text else {}
    found: dict[str, Any] = {}
    for name, member in shape.members.items():
        written = member.serialization.get("name") or name
        location = member.serialization.get("location")
        if location == "uri":
            value = labels.get(written)
        elif location == "querystring":
            value = query.get(written)
            value = value if member.type_name == "list" or not value else value[0]
        elif location == "header":
            value = request.headers.get(written.lower())
        else:
            value = body.get(name if is_xml else written)
        if value is not None:
            found[name] = value
    return found


def _xml_body(shape: Any, body: bytes) -> dict[str, Any]:
    """The members in an XML document; empty if it isn't XML, or if the body is data."""
    payload = shape.serialization.get("payload")
    try:
        root = ElementTree.fromstring(body)
    except (ElementTree.ParseError, ValueError):
        return {}
    content = shape.members[payload] if payload else shape
    return _xml_members(content.members, root) if content.type_name == "structure" else {}


def _xml_members(members: Mapping[str, Any], node: Element) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, member in members.items():
        children = _children(node, member.serialization.get("name") or name)
        if member.type_name == "list" and not member.serialization.get("flattened"):
            children = [item for child in children for item in _children(child, _item(member))]
        if children:
            values = [_xml_value(member.member if member.type_name == "list" else member, child) for child in children]
            found[name] = values if member.type_name == "list" else values[0]
    return found


def _children(node: Element, name: str) -> list[Element]:
    return [child for child in node if child.tag.rpartition("}")[2] == name]


def _xml_value(shape: Any, node: Element) -> Any:
    if shape.type_name == "structure":
        return _xml_members(shape.members, node)
    text = node.text or ""
    return text == "true" if shape.type_name == "boolean" else text


def _labels(template: str, path: str) -> dict[str, str]:
    """The values of ``{labels}`` in a path. A label can contain slashes, because servers decode ARNs in paths."""
    names = re.findall(r"\{(\w+)\+?\}", template.partition("?")[0])
    parts = re.split(r"\{\w+\+?\}", template.partition("?")[0].rstrip("/"))
    found = re.fullmatch("(.+?)".join(map(re.escape, parts)), path.rstrip("/"))
    return {name: unquote(value) for name, value in zip(names, found.groups(), strict=True)} if found else {}


def _json(body: bytes) -> dict[str, Any]:
    try:
        found = json.loads(body or b"{}")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _structure(shape: Any, prefix: str, flat: Mapping[str, str], *, ec2: bool) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, member in shape.members.items():
        value = _value(member, prefix + _name(name, member, ec2=ec2), flat, ec2=ec2)
        if value is not None:
            found[name] = value
    return found


def _value(shape: Any, at: str, flat: Mapping[str, str], *, ec2: bool) -> Any:
    if shape.type_name == "structure":
        return _structure(shape, f"{at}.", flat, ec2=ec2) or None
    if shape.type_name == "list":
        lead = at if ec2 or shape.serialization.get("flattened") else f"{at}.{_item(shape)}"
        return [_value(shape.member, f"{lead}.{index}", flat, ec2=ec2) for index in _indices(lead, flat)] or None
    if shape.type_name == "map":
        lead = at if shape.serialization.get("flattened") else f"{at}.entry"
        key, value = (
            part.serialization.get("name") or name for part, name in ((shape.key, "key"), (shape.value, "value"))
        )
        entries = (f"{lead}.{index}" for index in _indices(lead, flat))
        return {
            flat[f"{entry}.{key}"]: _value(shape.value, f"{entry}.{value}", flat, ec2=ec2) for entry in entries
        } or None
    if at not in flat:
        return None
    return flat[at] == "true" if shape.type_name == "boolean" else flat[at]


def _name(name: str, member: Any, *, ec2: bool) -> str:
    serialized = member.serialization
    if ec2:
        written = serialized.get("queryName") or serialized.get("name") or name
        return written[0].upper() + written[1:]
    return serialized.get("name") or name


def _item(shape: Any) -> str:
    return shape.member.serialization.get("name") or "member"


def _indices(lead: str, flat: Mapping[str, str]) -> Iterator[int]:
    pattern = re.compile(rf"{re.escape(lead)}\.(\d+)(\.|$)")
    return iter(sorted({int(match[1]) for name in flat if (match := pattern.match(name))}))
