"""The stand-in for pulumi-random."""

from __future__ import annotations

import string
from collections.abc import Iterator
from pathlib import Path

import pytest
from pulumi.runtime.proto.provider_pb2 import DiffResponse

from sandbox.testbed.providers.values import UNKNOWN, Properties
from tests.sandbox.providers.plugin import Plugin, urn

PASSWORD, STRING, ID = (f"random:index/random{name}:Random{name}" for name in ("Password", "String", "Id"))


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


def test_the_minimums_and_special_characters_are_kept(random: Plugin) -> None:
    name = urn(STRING, "string")
    asked = {"length": 12, "minNumeric": 4, "minUpper": 4, "minSpecial": 2, "lower": False, "overrideSpecial": "-"}
    made = random.create(name, random.check(name, asked).inputs)
    result = made.outputs["result"]
    assert made.id == result
    assert sum(character.isdigit() for character in result) >= 4
    assert sum(character.isupper() for character in result) >= 4
    assert result.count("-") >= 2
    assert "result" not in made.secrets


def test_an_id_has_the_bytes_asked_for(random: Plugin) -> None:
    name = urn(ID, "id")
    made = random.create(name, random.check(name, {"byteLength": 4, "prefix": "a-"}).inputs)
    assert len(made.outputs["hex"]) == 2 + 8
    assert int(made.outputs["hex"][2:], 16) == int(made.outputs["dec"][2:])
    assert made.outputs["b64Url"] == f"a-{made.id}"


@pytest.mark.parametrize(
    ("token", "inputs", "path", "reason"),
    [
        (PASSWORD, {}, "length", "missing required property"),
        (PASSWORD, {"length": 0}, "length", "at least 1"),
        (PASSWORD, {"length": 3, "minUpper": 4}, "length", "the sum of the minimums (4)"),
        (PASSWORD, {"length": "long"}, "length", "'long' is not of type integer"),
        (PASSWORD, {"length": 8, "specials": False}, "specials", "did you mean 'special'?"),
        (
            PASSWORD,
            {"length": 8, **dict.fromkeys(("lower", "upper", "numeric", "special"), False)},
            "lower",
            "at least one",
        ),
        (ID, {"byteLength": 0}, "byteLength", "at least 1"),
    ],
)
def test_refuses(random: Plugin, *, token: str, inputs: Properties, path: str, reason: str) -> None:
    assert reason in random.check(urn(token, "bad"), inputs).failures[path]


def test_leaves_nothing_on_the_disk(tmp_path: Path) -> None:
    plugin = Plugin("random", tmp_path)
    name = urn(PASSWORD, "password")
    plugin.create(name, plugin.check(name, {"length": 40}).inputs)
    plugin.stop()
    assert list(tmp_path.rglob("*.json")) == []
