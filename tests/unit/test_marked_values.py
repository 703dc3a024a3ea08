"""Marked values in the format of credentials, in every setting and every wrong place: no message shows them."""

import itertools
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from adoption import command as adoption
from components import settings
from components.configuration import secret_names
from components.settings.arguments import AtlantisArgs
from components.settings.schema import Declared, settings_of
from policy import check_configuration
from preflight import command as preflight
from preflight import policy_configuration, trust_policy
from preflight.check import Check, run_checks
from preflight.deployment import read_stack_file
from preflight.errors import FailedError, WarnedError
from sandbox.__main__ import main as sandbox_main
from tests.adoption.states import REGION as ADOPTED_REGION
from tests.adoption.states import SETTINGS, container, find, small_state, write
from tests.policy.servicer import Pack, Planned
from tests.unit.recording import LOCAL, REGION

ROOT = Path(__file__).parents[2]
BODY = "MIIEpQIBAAKCAQEA7fMARKED1xSvbXc9\nQm4uVnYpMARKED2b7eTk3s0RZ8wJ5dLh"
CREDENTIALS = {
    "key": f"-----BEGIN RSA PRIVATE KEY-----\n{BODY}\n-----END RSA PRIVATE KEY-----\n",
    "half a key": f"-----BEGIN PRIVATE KEY-----\n{BODY}\n",
    "GitHub": "ghp_MARKED4f7Zq9sK2mX8vB1nC6dJ3hT5wR0yL",
    "GitHub, fine": "github_pat_11MARKED0a7Zq9sK2mX8vB1nC6dJ3",
    "GitLab": "glpat-MARKED7Zq9sK2mX8vB1n",
    "AWS": "AKIAMARKEDZ9K2MX8VB1",
    "Slack": "https://hooks.slack.com/services/T0MARKED/B0MARKED/Zq9sMARKED",
    "Slack's token": "xoxb-123456789012-MARKEDZq9sK2m",
    "JWT": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJNQVJLRUQifQ.MARKEDsignature",
    "URL": "https://bot:MARKEDpass@git.example.com/",
    "JSON": '{"db": {"user": "bot", "password": "MARKED pass"}}',
}
PLACES: dict[str, Callable[[str], object]] = {
    "value": lambda value: value,
    "item": lambda value: ["first", value],
    "items as JSON": lambda value: json.dumps([value, value]),
    "reference": lambda value: [f"TOKEN={value}", f"api-secret={value}:key"],
    "name": lambda value: {value: "x"},
    "value of a name": lambda value: {"fine": "x", "a wrong name": value},
    "object": lambda value: [{"name": "a", "image": value, "environment": {"X": value}, value: value}],
    "text": lambda value: f"see {value}",
}


def exposed(text: str) -> list[str]:
    """What a text shows of the credentials."""
    parts = [part for value in CREDENTIALS.values() for part in value.splitlines() if "MARKED" in part]
    return [part for part in parts if part in text or json.dumps(part)[1:-1] in text] + ["MARKED"] * ("MARKED" in text)


@pytest.mark.parametrize("declared", list(settings_of(AtlantisArgs)), ids=lambda declared: declared.key)
def test_every_setting_refuses_a_credential_by_its_name_only(declared: Declared) -> None:
    # Each credential in each place, in one setting after the other.
    number = sum(map(ord, declared.key))
    for offset, (place, write_in) in enumerate(PLACES.items()):
        for value in (
            CREDENTIALS.values()
            if place == "value"
            else [list(CREDENTIALS.values())[(number + offset) % len(CREDENTIALS)]]
        ):
            with pytest.raises(settings.SettingsError) as refused:
                settings.parse(LOCAL | {declared.key: write_in(value)}, stack="prod", region=REGION)
            assert exposed(str(refused.value)) == []
            assert any(problem.startswith(declared.key) for problem in refused.value.problems)


@pytest.mark.parametrize("value", ["hunter2 MARKED", "MARKED:\nsecond line", "비밀MARKED"])
@pytest.mark.parametrize(
    "key",
    [
        *(
            "environmentVariables",
            "extraContainers",
            "githubAppSecretName",
            "oidcClientSecretName",
            "secretEnvironment",
        ),
        *("serverSecrets", "vcsTokenSecretName", "webhookSecretName"),
    ],
)
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_settings_of_secrets_show_no_refused_value(key: str, value: str, place: Callable[[str], object]) -> None:
    with pytest.raises(settings.SettingsError) as refused:
        settings.parse(LOCAL | {key: place(value)}, stack="prod", region=REGION)
    assert "MARKED" not in str(refused.value).replace("unknown setting", "")


@pytest.mark.parametrize("value", CREDENTIALS.values(), ids=CREDENTIALS)
def test_arguments_of_the_component_and_the_region_show_none(value: str) -> None:
    arguments = {"server": {"repo_allowlist": value, value: "x"}, "ingress": value, value: {"x": value}}
    with pytest.raises(settings.SettingsError) as refused:
        settings.validate(arguments, name="a", region=value)
    assert exposed(str(refused.value)) == []


def credentials(first: int) -> Iterator[str]:
    """The credentials without end, one after the other: each place of a file has another one, and in each test others."""
    return itertools.islice(itertools.cycle(CREDENTIALS.values()), first, None)


ROTATED = pytest.mark.parametrize("first", range(0, len(CREDENTIALS), 3))


def _files(folder: Path, values: Iterator[str]) -> Iterator[str]:
    """Contents of a stack file that can't be used, each with a credential."""
    yield f'config:\n  atlantis:url: "{next(values)}'
    yield f"config: [{json.dumps(next(values))}"
    yield yaml.safe_dump(
        {"config": {"atlantis:url": next(values), f"atlantis:{next(values)}": "x", "aws:region": next(values)}}
    )
    flags = folder / "server.yaml"
    for flag in ("gh-token", "default-tf-version", "automerge", "no-such-flag", "allow-commands"):
        flags.write_text(yaml.safe_dump({flag: next(values), next(values): flag}), encoding="utf-8")
        yield yaml.safe_dump({"config": {"aws:region": REGION, "atlantis:serverConfigFile": "server.yaml", **_local()}})


def _local() -> dict[str, Any]:
    return {f"atlantis:{key}": value for key, value in LOCAL.items()}


@ROTATED
def test_preflight_and_adoption_show_none_of_a_stack_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], first: int
) -> None:
    monkeypatch.chdir(tmp_path)
    file, state = tmp_path / "Pulumi.prod.yaml", write(tmp_path, small_state())
    for content in _files(tmp_path, credentials(first)):
        file.write_text(content, encoding="utf-8")
        assert preflight.main(["--config-file", str(file)]) == preflight.USAGE_ERROR
        assert adoption.main(["--state", str(state), "--config-file", str(file)]) != 0
        assert exposed("".join(capsys.readouterr())) == []


@ROTATED
def test_an_adoption_shows_and_proposes_none_of_a_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], first: int
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    values = credentials(first)
    state, file = small_state(), tmp_path / "Pulumi.prod.yaml"
    (definition,) = json.loads(container())
    names = ("SLACK_URL", "PLAIN", "ATLANTIS_GH_TOKEN", "ATLANTIS_DEFAULT_TF_VERSION", "ATLANTIS_NO_SUCH_FLAG")
    definition["environment"] += [{"name": name, "value": next(values)} for name in names]
    definition |= {"command": ["server", f"--gh-token={next(values)}"], "dockerLabels": {"x": next(values)}}
    other = {
        "name": "other",
        "image": next(values),
        "command": [next(values)],
        "environment": [{"name": "X", "value": next(values)}],
    }
    task = find(state, "aws_ecs_task_definition.this")
    task["container_definitions"] = json.dumps([definition, other])
    find(state, "aws_ecs_service.this")["tags"] = {"x": next(values)}
    find(state, "aws_iam_role.tasks")["description"] = next(values)
    config = {"aws:region": ADOPTED_REGION} | {f"atlantis:{key}": item for key, item in SETTINGS.items()}
    file.write_text(yaml.safe_dump({"config": config}), encoding="utf-8")
    arguments = ["--state", str(write(tmp_path, state)), "--config-file", str(file)]
    lost = [f"ATLANTIS_{name}" for name in ("GH_TOKEN", "DEFAULT_TF_VERSION", "NO_SUCH_FLAG")]
    accepted = ["SLACK_URL", "PLAIN", *lost, "container.dockerLabels", "container:other"]
    for options in ([], ["--write", "--accept-lost", " ".join(accepted), "--adoption-file", str(tmp_path / "a.yaml")]):
        adoption.main([*arguments, *options])
        assert exposed("".join(capsys.readouterr())) == []
    assert "import" in (tmp_path / "a.yaml").read_text(encoding="utf-8")
    assert exposed(file.read_text(encoding="utf-8") + (tmp_path / "a.yaml").read_text(encoding="utf-8")) == []


COMMANDS: dict[str, tuple[Callable[[], object], tuple[str, ...]]] = {
    "preflight": (preflight.main, ("--stack",)),
    "policy-config": (policy_configuration.main, ("--stack",)),
    "trust-policy": (trust_policy.main, ("--setting", "repositoryRoles", "--stack")),
    "adopt": (adoption.main, ("--state",)),
    "make preview": (sandbox_main, ("preview", "--stack")),
    "make pr": (sandbox_main, ("pr", "--number")),
}


@pytest.mark.parametrize("value", CREDENTIALS.values(), ids=CREDENTIALS)
@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_shows_none_of_its_arguments(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], name: str, value: str
) -> None:
    command, options = COMMANDS[name]
    for arguments in ([*options, value], [*options, "x", value], [value]):
        monkeypatch.setattr(sys, "argv", [name, *arguments])
        try:
            assert command() not in (0, None)
        except SystemExit as ended:
            assert ended.code == preflight.USAGE_ERROR  # noqa: PT017 - some of them return their code
        printed = "".join(capsys.readouterr())
        assert printed
        assert exposed(printed) == []


@pytest.mark.parametrize("value", CREDENTIALS.values(), ids=CREDENTIALS)
def test_a_check_and_a_policy_show_none(value: str) -> None:
    def fails(_: Any) -> str:
        raise FailedError(f"found {value}", f"remove {value}")

    def warns(_: Any) -> str:
        raise WarnedError(f"found {value}")

    checks = [Check("a", "b", function) for function in (fails, warns, lambda _: f"found {value}")]
    results = list(run_checks(checks, None))  # pyright: ignore[reportArgumentType]
    assert [each.message.partition(" ")[0] for each in results] == ["found"] * 3
    assert exposed(repr(results)) == []
    variables = {"variables": {"SLACK_URL": value, "DB_PASSWORD": value, value: "x"}}
    function = Planned(
        "aws:lambda/function:Function", f"job {value}", {"environment": variables, "tags": {value: value}}
    )
    found = [each.message for each in Pack().review(function)]
    assert [each for each in found if "looks like a secret" in each]
    assert exposed("".join(found)) == []


def _configurations(value: str) -> Iterator[object]:
    """Configurations of the policy pack with a credential, only the last of which is valid."""
    yield {value: "mandatory", "encryption": {value: 1}}
    for policy in (value, {"enforcementLevel": value}, {"exemptions": value}, {"exemptions": [value, {value: value}]}):
        yield {"encryption": policy, "cidr-restriction": {"allowedCidrBlocks": [value]}}
    exemption = {"resource": value, "reason": value, "expires": "2030-01-01"}
    tags = {"tags": [value]}
    yield {"encryption": {"exemptions": [exemption]}, "required-tags": tags}


@pytest.mark.parametrize("value", CREDENTIALS.values(), ids=CREDENTIALS)
def test_a_policy_configuration_shows_none(tmp_path: Path, capsys: pytest.CaptureFixture[str], value: str) -> None:
    settings_of_prod = read_stack_file(ROOT / "Pulumi.prod.yaml", "prod")
    file = policy_configuration.file_of("prod", tmp_path)
    file.parent.mkdir(parents=True)
    for content in (value, *map(json.dumps, _configurations(value))):
        file.write_text(content, encoding="utf-8")
        found = policy_configuration.difference(settings_of_prod, "prod", tmp_path)
        assert found.stopping
        sys.stdout.writelines([*check_configuration.problems(file), *found.stopping, *found.other])
        assert exposed(capsys.readouterr().out) == []


def test_the_stack_and_its_policy_pack_recognize_the_same_secrets() -> None:
    pack = ROOT / "policy" / "evaluation" / "secret_names.py"
    assert Path(secret_names.__file__).read_text(encoding="utf-8") == pack.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        (json.dumps(json.dumps({"db": {"api_key": "a b"}})), '"{\\"db\\": {\\"api_key\\": [hidden]}}"'),
        ("{'client_secret': 'a', 'user': 'b'}", "{'client_secret': [hidden], 'user': 'b'}"),
        ('{"password": "${var.password}", "token": "", "secret": "arn:aws:x"}', None),
        ("line MIIEpQIBAAKCAQEA7fM1xSvbXc9Qm4uV of a key", "line [hidden] of a key"),
        ("secret wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", "secret [hidden]"),
        ("arn:aws:iam::aws:policy/service-role/AmazonEC2ContainerServiceforEC2Role", None),
        (f"image a/b@sha256:{'0a' * 32}, key 0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9", None),
        ("secret arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/atlantis-AbCdEf:key::", None),
        ("ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09 in components/settings/rules/configuration.py", None),
    ],
)
def test_names_ids_and_arns_are_shown_and_random_text_is_not(message: str, shown: str | None) -> None:
    assert secret_names.redacted(message) == (shown or message)
