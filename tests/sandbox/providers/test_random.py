"""The stand-in for pulumi-random."""

from __future__ import annotations

import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from pulumi.runtime.proto.provider_pb2 import DiffResponse

from sandbox.testbed.providers.values import UNKNOWN, Properties
from tests.sandbox.providers.plugin import Plugin, urn

PASSWORD = "random:index/randomPassword:RandomPassword"


@pytest.fixture(scope="module")
def random(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plugin]:
    """The stand-in."""
    plugin = Plugin("random", tmp_path_factory.mktemp("random"))
    plugin.configure({})
    yield plugin
    plugin.stop()


def test_a_password_is_made_once_and_is_secret(random: Plugin) -> None:
    name = urn(PASSWORD, "password")
    inputs = random.check(name, {"length": 40, "special": False, "keepers": {"generation": "1"}}).inputs
    preview = random.create(name, inputs, preview=True)
    assert preview.outputs["result"] is UNKNOWN
    made = random.create(name, inputs)
    assert made.id == "none"
    assert len(made.outputs["result"]) == 40
    assert set(made.outputs["result"]) <= set(string.ascii_letters + string.digits)
    assert "result" in made.secrets
    assert random.create(name, inputs).outputs["result"] != made.outputs["result"]
    identity, found, outputs = random.read(name, made.id, inputs, made.outputs)
    assert (identity, found, outputs["result"]) == (made.id, inputs, made.outputs["result"])
    assert random.diff(name, made.id, made.outputs, inputs, inputs).changes == DiffResponse.DIFF_NONE


@pytest.mark.parametrize("change", [{"length": 41}, {"keepers": {"generation": "2"}}, {"special": True}])
def test_every_change_makes_another_password(random: Plugin, change: Properties) -> None:
    name = urn(PASSWORD, "password")
    old = random.check(name, {"length": 40, "special": False, "keepers": {"generation": "1"}}).inputs
    difference = random.diff(name, "none", old, old, {**old, **change})
    assert list(difference.replaces) == list(change)


@pytest.mark.parametrize(
    ("inputs", "path", "reason"),
    [
        ({}, "length", "missing required property"),
        ({"length": 0}, "length", "at least 1"),
        ({"length": "long"}, "length", "'long' is not of type integer"),
        ({"length": 8, "minUpper": 4}, "minUpper", "does not support"),
        ({"length": 8, "specials": False}, "specials", "did you mean 'special'?"),
        ({"length": 8, **dict.fromkeys(("lower", "upper", "numeric", "special"), False)}, "lower", "at least one"),
    ],
)
def test_refuses(random: Plugin, *, inputs: Properties, path: str, reason: str) -> None:
    assert reason in random.check(urn(PASSWORD, "bad"), inputs).failures[path]


def test_leaves_nothing_on_the_disk(tmp_path: Path) -> None:
    plugin = Plugin("random", tmp_path)
    name = urn(PASSWORD, "password")
    plugin.create(name, plugin.check(name, {"length": 40}).inputs)
    plugin.stop()
    assert list(tmp_path.rglob("*.json")) == []
