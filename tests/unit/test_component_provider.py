"""The component package's schema, and the outputs that it refuses before the component reads its arguments."""

import json
import traceback
from collections.abc import Iterator, Mapping
from typing import Any

import pulumi
import pytest
from pulumi.errors import InputPropertyError

from components.__main__ import AtlantisProvider, load, provider
from components.settings.arguments import AtlantisArgs
from components.settings.schema import key_of, settings_of
from tests.unit.recording import deploy
from tests.unit.test_marked_values import CREDENTIALS, exposed

LEAST: dict[str, Any] = {
    "environment": "tools",
    "ingress": {"url": "https://atlantis.example.com", "allowedCidrBlocks": ["203.0.113.0/24"]},
    "server": {"repoAllowlist": "github.com/example-organization/*"},
}


@pytest.fixture(scope="module")
def package() -> AtlantisProvider:
    return provider(load())


def schema_of_settings(package: AtlantisProvider) -> Iterator[tuple[str, Mapping[str, Any]]]:
    schema = json.loads(package.schema or "")
    own = schema["resources"]["atlantis:index:Atlantis"]["inputProperties"]
    for declared in settings_of(AtlantisArgs):
        if declared.group:
            group = own[key_of(declared.group)]["$ref"].removeprefix("#/types/")
            yield declared.key, schema["types"][group]["properties"][declared.key]
        else:
            yield declared.key, own[declared.key]


def test_the_schema_says_which_arguments_can_be_outputs(package: AtlantisProvider) -> None:
    accepting = {declared.key for declared in settings_of(AtlantisArgs) if declared.accepts_outputs}
    found = {
        key
        for key, setting in schema_of_settings(package)
        if not setting.get("items", setting.get("additionalProperties", setting)).get("plain", False)
    }
    assert found == accepting


@pytest.mark.parametrize(
    ("path", "change"),
    [
        ("network", lambda output: {"network": output}),
        ("environment", lambda output: {"environment": output}),
        ("task.cpu", lambda output: {"task": {"cpu": output}}),
        ("network.publicSubnetIds", lambda output: {"network": {"publicSubnetIds": output}}),
    ],
)
def test_an_output_that_the_host_would_ignore_is_refused(package: AtlantisProvider, path: str, change: Any) -> None:
    refused: list[InputPropertyError] = []

    def run() -> None:
        inputs = LEAST | change(pulumi.Output.from_input({}))
        with pytest.raises(InputPropertyError) as error:
            package.map_inputs(inputs, package._component_defs["Atlantis"])
        refused.append(error.value)

    deploy(run)
    assert refused[0].property_path == path
    assert "must be known before the deployment" in refused[0].reason


def test_outputs_that_are_only_passed_on_reach_the_component(package: AtlantisProvider) -> None:
    def run() -> None:
        output = pulumi.Output.from_input("vpc-0a1b2c3d4e5f60718")
        inputs = LEAST | {"network": {"vpcId": output, "publicSubnetIds": [output]}}
        mapped = package.map_inputs(inputs, package._component_defs["Atlantis"])
        assert mapped["network"] == {"vpc_id": output, "public_subnet_ids": [output]}

    deploy(run)


def test_the_host_s_refusal_of_a_value_of_another_type_shows_no_credential(package: AtlantisProvider) -> None:
    definition = next(iter(package._component_defs.values()))
    for value in (*CREDENTIALS.values(), "1 GB"):
        with pytest.raises(InputPropertyError) as refused:
            package.map_inputs({**LEAST, "task": {"cpu": value}}, definition)
        assert exposed("".join(traceback.format_exception(refused.value))) == []
        assert "of type <class 'str'> for integer property task.cpu" in refused.value.reason
        assert ("1 GB" in refused.value.reason) is (value == "1 GB")
