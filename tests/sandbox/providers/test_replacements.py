"""For each property that the aws stand-in carries out, whether a change replaces the resource: as the official provider plans it.

One plan has an instance of each type for each property, applied with one value and configured with another.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from sandbox.conformance.terraform import Terraform, TerraformError
from sandbox.testbed import terraform_provider
from sandbox.testbed.local_aws import LocalAws
from sandbox.testbed.providers.aws.package import AwsPackage
from sandbox.testbed.providers.schema import Shape
from sandbox.testbed.providers.values import Properties
from tests.needs import needs_provider
from tests.sandbox.providers.examples import EXAMPLES, Ids
from tests.sandbox.providers.plugin import Plugin, urn

PROVIDER = terraform_provider.find(everywhere=True)
pytestmark = needs_provider(everywhere=True)

ROWS = yaml.safe_load(Path(__file__).with_name("replacements.yaml").read_text(encoding="utf-8"))
OTHERWISE = {(type_, attribute) for type_, attribute, _ in ROWS["otherwise"]}


def _cases(token: str, objects: Ids) -> Iterator[tuple[str, Properties, Properties]]:
    """(name, more inputs, change) for each property of a type that another value can be found for."""
    example = EXAMPLES[token]
    base = example.inputs(objects)
    given = {**example.change(objects), **example.replace(objects)}
    written = {name: case for type_, name, *case in ROWS["cases"] if type_ == token}
    yield from ((name, *case) for name, case in written.items())
    for name, shape in AwsPackage().schemas()[token].inputs.properties.items():
        other = given[name] if name in given else _another(shape, base.get(name))
        if other is not None and shape.kind != "unsupported" and name not in written:
            yield name, {}, {name: other}


def _another(shape: Shape, value: Any) -> Any:
    if shape.enum:
        return next((choice for choice in shape.enum if choice != value), None)
    if shape.kind == "boolean":
        return not value
    if shape.kind == "integer":
        return value + 1 if isinstance(value, int) else max(1, int(shape.minimum or 1))
    if shape.kind == "string" and not shape.pattern:
        return f"{value}x" if value else "other"
    return None


def test_a_change_replaces_where_the_official_provider_replaces(
    plugin: Plugin, aws: LocalAws, objects: Ids, tmp_path: Path
) -> None:
    assert PROVIDER
    terraform = Terraform(tmp_path, PROVIDER, aws)
    schema = terraform.schema()
    replaces: dict[tuple[str, str], bool] = {}
    resources: dict[tuple[str, str], tuple[dict[str, Any], dict[str, Any]]] = {}
    refused: dict[tuple[str, str], str] = {}
    for token in EXAMPLES:
        type_ = schema.type_of(token)
        for name, more, change in _cases(token, objects):
            attribute = schema.attribute_of(type_, name.split()[0])
            base = {
                key: value for key, value in {**EXAMPLES[token].inputs(objects), **more}.items() if value is not None
            }
            before = plugin.check(urn(token, "x"), base)
            after = plugin.check(urn(token, "x"), {**base, **change}, before.inputs)
            if attribute is None:
                continue
            key = type_, "-".join([attribute, *name.split()[1:]])
            if before.failures or after.failures:
                refused[key] = f"stand-in: {before.failures or after.failures}"
                continue
            difference = plugin.diff(urn(token, "x"), "x", before.inputs, before.inputs, after.inputs)
            replaces[key] = bool(set(change) & set(difference.replaces))
            resources[key] = schema.arguments(type_, before.inputs), schema.arguments(type_, after.inputs)

    planned = _plan(terraform, resources, refused)

    listed = {(type_, name) for types in ROWS["refused"].values() for type_, names in types.items() for name in names}
    assert {key: said for key, said in refused.items() if key not in listed} == {}, "list it, with the reason"
    assert sorted(listed - refused.keys()) == [], "no longer refused"

    compared = {key: replaces[key] for key in planned}
    official = {key: key[1].split("-")[0] in paths for key, paths in planned.items()}
    assert {key: value for key, value in compared.items() if value != official[key]} == dict.fromkeys(OTHERWISE, True)
    assert len(compared) > 200, "too few properties could be compared"


def _plan(
    terraform: Terraform,
    resources: dict[tuple[str, str], tuple[dict[str, Any], dict[str, Any]]],
    refused: dict[tuple[str, str], str],
) -> dict[tuple[str, str], set[str]]:
    """The attributes that make each changed instance a replacement; those that the provider refuses are left out."""
    schema = terraform.schema()
    while True:
        configuration: dict[str, dict[str, Any]] = {}
        for (type_, name), (_, after) in resources.items():
            configuration.setdefault(type_, {})[name] = after
        terraform.configure(configuration)
        applied = {
            key: (schema.types[key[0]]["version"], {**before, "id": "x"}) for key, (before, _) in resources.items()
        }
        terraform.assume(schema.address, applied)
        try:
            changes = terraform.plan(refresh=False)
        except TerraformError as error:
            by_key = {
                (address.partition(".")[0], address.partition(".")[2]): texts
                for address, texts in error.by_address.items()
            }
            if not by_key.keys() <= resources.keys():
                raise
            refused |= {key: f"provider: {'; '.join(texts)}" for key, texts in by_key.items()}
            resources = {key: value for key, value in resources.items() if key not in by_key}
            continue
        return {
            (change["type"], change["name"]): {path[0] for path in change["change"].get("replace_paths", [])}
            for change in changes
        }
