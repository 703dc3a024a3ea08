"""No secret value in clear: not in the engine's state, its backups, logs, previews, process arguments or files."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.sandbox.harness import Ground, own_processes


@contextmanager
def _arguments_seen(ground: Ground) -> Iterator[set[str]]:
    """Collects the command lines of the sandbox's processes while the context lasts."""
    seen: set[str] = set()
    ended = threading.Event()

    def watch() -> None:
        while not ended.wait(0.05):
            seen.update(command for _, command in own_processes(ground.base))

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield seen
    finally:
        ended.set()
        watcher.join()


def _values(ground: Ground) -> set[str]:
    """Every secret value of the deployment: what Secrets Manager holds, and the passphrase."""
    client = ground.sandbox().aws.client("secretsmanager")
    values = {(ground.state / "passphrase").read_text()}
    for secret in client.list_secrets()["SecretList"]:
        # The App's secret is empty until an operator fills it.
        value = client.get_secret_value(SecretId=secret["ARN"]).get("SecretString", "{}")
        values |= set(json.loads(value).values())
    return values


@pytest.fixture(scope="module")
def watched(module_ground: Ground) -> tuple[Ground, set[str], str]:
    """The stack deployed, previewed and changed; the ground, the arguments seen, and all that was shown."""
    sandbox = module_ground.sandbox()
    with _arguments_seen(module_ground) as seen:
        sandbox.up()
        changed = module_ground.sandbox(webhookSecretGeneration=2)
        changed.up()
    shown = "".join(
        answer.stdout + answer.stderr
        for answer in (module_ground.cli("preview"), module_ground.cli("refresh"), module_ground.cli("outputs"))
    )
    return module_ground, seen, shown


def test_there_is_something_to_find(watched: tuple[Ground, set[str], str]):
    ground, seen, shown = watched

    assert all(len(value) >= 20 for value in _values(ground))
    assert len(_values(ground)) >= 2
    assert any("pulumi" in command for command in seen)
    assert "atlantis_url" in shown


def test_the_exported_state_has_none(watched: tuple[Ground, set[str], str]):
    ground, _, _ = watched
    state = json.dumps(ground.sandbox().export())

    assert not [value for value in _values(ground) if value in state]


def test_the_shown_output_has_none(watched: tuple[Ground, set[str], str]):
    ground, _, shown = watched

    assert not [value for value in _values(ground) if value in shown]


def test_process_arguments_have_none(watched: tuple[Ground, set[str], str]):
    ground, seen, _ = watched

    assert not [command for command in seen if any(value in command for value in _values(ground))]


def test_no_file_of_the_sandbox_has_one(watched: tuple[Ground, set[str], str]):
    ground, _, _ = watched
    values = [value.encode() for value in _values(ground)]
    # The local AWS' own store is Secrets Manager; the passphrase's file is the passphrase.
    store = ground.state / "local-aws" / "services"
    files = [path for path in ground.state.rglob("*") if path.is_file() and store not in path.parents]

    assert [path for path in files if any(value in path.read_bytes() for value in values)] == [
        ground.state / "passphrase"
    ]


def test_what_holds_secrets_is_for_its_owner_only(watched: tuple[Ground, set[str], str]):
    ground, _, _ = watched

    assert ground.state.stat().st_mode & 0o077 == 0
    assert (ground.state / "passphrase").stat().st_mode & 0o077 == 0
    assert (ground.state / "local-aws").stat().st_mode & 0o077 == 0
