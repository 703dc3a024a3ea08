"""What AWS or the official provider would refuse is refused, with words that help."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import grpc
import pytest

from sandbox.testbed.providers.values import UNKNOWN, Properties
from tests.sandbox.providers.examples import EXAMPLES, Ids, filled
from tests.sandbox.providers.plugin import Plugin, urn

SERVICE, TASK = "aws:ecs/service:Service", "aws:ecs/taskDefinition:TaskDefinition"
BAD: list[tuple[str, Properties, str, str]] = [
    (token, *row) for token, example in EXAMPLES.items() for row in example.row.get("refused", ())
]


@pytest.mark.parametrize("case", BAD, ids=lambda case: f"{case[0].split(':')[-1]}-{case[2]}")
def test_refuses(plugin: Plugin, objects: Ids, case: tuple[str, Properties, str, str]) -> None:
    token, change, path, reason = case
    inputs = {**EXAMPLES[token].inputs(objects), **filled(change, objects)}
    given = {name: value for name, value in inputs.items() if value is not None}
    failures = plugin.check(urn(token, "bad"), given).failures
    assert path in failures, failures
    assert reason in failures[path]
    assert failures[path].startswith(f"{path}: ")


def test_reports_everything_at_once(plugin: Plugin) -> None:
    failures = plugin.check(urn(SERVICE, "bad"), {"desiredCuont": 1, "launchType": "X", "tags": []}).failures
    assert failures.keys() == {"desiredCuont", "launchType", "tags"}


def test_never_shows_a_secret_value(plugin: Plugin, objects: Ids) -> None:
    name = urn("aws:secretsmanager/secretVersion:SecretVersion", "bad")
    inputs = {"secretId": objects["secret"], "secretString": ["hunter2"]}
    failures = plugin.check(name, inputs, secrets={"secretString"}).failures
    assert failures == {"secretString": "secretString: the secret value is not of type string"}
    definitions = '[{"name": "a", "image": "b", "environment": "hunter2"}]'
    inputs = {**EXAMPLES[TASK].inputs(objects), "containerDefinitions": definitions}
    failures = plugin.check(urn(TASK, "bad"), inputs, secrets={"containerDefinitions"}).failures
    assert failures == {"containerDefinitions": "containerDefinitions: the secret value is not accepted"}


def test_takes_what_a_preview_cannot_know_yet(plugin: Plugin, objects: Ids) -> None:
    for token, example in EXAMPLES.items():
        inputs = {
            **example.inputs(objects),
            **{name: UNKNOWN for name in example.inputs(objects) if name.endswith("Id")},
        }
        assert plugin.check(urn(token, "preview"), inputs).failures == {}
    inputs = dict.fromkeys(EXAMPLES[SERVICE].inputs(objects), UNKNOWN)
    assert plugin.check(urn(SERVICE, "preview"), inputs).failures == {}


def test_names_an_unknown_type_and_an_unknown_function(plugin: Plugin) -> None:
    unknown = "does not know the resource type aws:ecs/clutser:Cluster; did you mean aws:ecs/cluster:Cluster?"
    with pytest.raises(grpc.RpcError, match=f"{re.escape(unknown)}.* sandbox/testbed/providers/"):
        plugin.check(urn("aws:ecs/clutser:Cluster", "x"), {})
    with pytest.raises(grpc.RpcError, match="does not know the function aws:lambda/getFunction:getFunction"):
        plugin.invoke("aws:lambda/getFunction:getFunction", {})


@pytest.mark.parametrize(
    ("change", "name", "reason"),
    [
        ({"regoin": "x"}, "regoin", "did you mean 'region'?"),
        ({"profile": "prod"}, "profile", "does not know the setting aws:profile"),
        ({"region": ""}, "region", "missing required setting"),
        ({"endpoints": '[{"ec2": "https://ec2.amazonaws.com"}]'}, "endpoints", "is not on loopback"),
        ({"endpoints": '{"ec2": "http://127.0.0.1:1"}'}, "endpoints", "must be a list of objects"),
    ],
)
def test_judges_the_providers_own_settings(plugin: Plugin, change: dict[str, Any], name: str, reason: str) -> None:
    failures = plugin.check_configuration({"region": "ap-northeast-2", "endpoints": "[]", **change})
    assert reason in failures[name]


def test_guesses_no_endpoint(provider_state: Path) -> None:
    plugin = Plugin("aws", provider_state)
    plugin.configure({"region": "ap-northeast-2", "endpoints": "[]"})
    with pytest.raises(grpc.RpcError, match="names no endpoint for sts"):
        plugin.invoke("aws:index/getCallerIdentity:getCallerIdentity", {})
    plugin.stop()
