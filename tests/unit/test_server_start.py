"""The shell that starts the server: what it hands over, and what it leaves behind, run by the shells of both images."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from components.compute.server_start import server_start
from tests.needs import without

SECRETS = {
    "ATLANTIS_GH_APP_ID": "123456",
    "ATLANTIS_GH_APP_KEY": "-----BEGIN RSA PRIVATE KEY-----\nMIIEow/+==\nZmFrZQ==\n-----END RSA PRIVATE KEY-----\n",
    "ATLANTIS_GH_WEBHOOK_SECRET": " $(id) `id` \\n ' \" : # %s é $HOME",
    "ATLANTIS_WEB_PASSWORD": "-n",
}
SHELLS = [["/bin/sh"], ["busybox", "sh"]]

# Takes the place of the image's entry point: records what the server would be started with.
_ENTRY_POINT = """#!{python}
import json, os, sys, time
server, verb, option, path = sys.argv[1:]
with open(path, encoding="utf-8") as pipe:
    configuration = pipe.read()
deadline = time.monotonic() + 5
while os.path.exists(path) and time.monotonic() < deadline:
    time.sleep(0.01)
json.dump({{
    "arguments": [verb, option],
    "configuration": configuration,
    "environment": dict(os.environ),
    "initial": open("/proc/self/environ", encoding="utf-8").read(),
    "left": os.listdir(os.environ["TMPDIR"]),
    "pid": os.getpid(),
    "server": server,
}}, open({report!r}, "w", encoding="utf-8"))
"""


def _image(folder: Path, mode: int = 0o755) -> Path:
    """A PATH with an ``atlantis`` and the entry point of the stock image, which writes ``folder/report``."""
    programs = folder / "bin"
    programs.mkdir()
    (folder / "tmp").mkdir()
    server = programs / "atlantis"
    shutil.copy(shutil.which("true") or "", server)
    server.chmod(mode)
    entry_point = programs / "docker-entrypoint.sh"
    entry_point.write_text(_ENTRY_POINT.format(python=sys.executable, report=str(folder / "report")), encoding="utf-8")
    entry_point.chmod(0o755)
    return programs


def _start(
    folder: Path, secrets: dict[str, str], shell: list[str], names: list[str] | None = None
) -> "subprocess.CompletedProcess[str]":
    start = server_start(names or list(secrets))
    programs = _image(folder) if not (folder / "bin").exists() else folder / "bin"
    environment = {
        "PATH": f"{programs}:/usr/bin:/bin",
        "TMPDIR": str(folder / "tmp"),
        "ATLANTIS_PORT": "4141",
        **secrets,
    }
    return subprocess.run(
        [*shell, *start["entryPoint"][1:], *start["command"]],
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


@pytest.fixture(params=SHELLS, ids=["sh", "busybox"])
def shell(request: pytest.FixtureRequest) -> list[str]:
    if shutil.which(request.param[0]) is None:
        pytest.skip(without(request.param[0]))
    return request.param


def test_the_server_gets_every_secret_in_its_configuration_and_none_in_its_environment(
    tmp_path: Path, shell: list[str]
) -> None:
    done = _start(tmp_path, SECRETS, shell)
    assert (done.returncode, done.stderr) == (0, "")
    report = json.loads((tmp_path / "report").read_text(encoding="utf-8"))
    assert yaml.safe_load(report["configuration"]) == {
        "gh-app-id": "123456",
        "gh-app-key": SECRETS["ATLANTIS_GH_APP_KEY"].removesuffix("\n"),
        "gh-webhook-secret": SECRETS["ATLANTIS_GH_WEBHOOK_SECRET"],
        "web-password": "-n",
    }
    assert report["arguments"] == ["server", "--config"]
    assert report["environment"]["ATLANTIS_PORT"] == "4141"
    assert report["environment"].keys().isdisjoint(SECRETS)
    # What /proc shows of the process that took the shell's place.
    assert [name for name in SECRETS if name in report["initial"]] == []
    assert report["left"] == []


def test_the_server_runs_from_a_file_that_its_own_user_can_only_execute(tmp_path: Path, shell: list[str]) -> None:
    entry_point = _image(tmp_path) / "docker-entrypoint.sh"
    entry_point.write_text(
        f'#!/bin/sh\nstat -c %a "$1" >{tmp_path}/mode\ncat "$4" >{tmp_path}/configuration\n', encoding="utf-8"
    )
    assert _start(tmp_path, SECRETS, shell).returncode == 0
    assert (tmp_path / "mode").read_text(encoding="utf-8").strip() == "111"


@pytest.mark.parametrize("value", [None, ""], ids=["absent", "empty"])
def test_a_secret_that_was_not_injected_ends_the_start_before_the_server(
    tmp_path: Path, shell: list[str], value: str | None
) -> None:
    injected = SECRETS | {"ATLANTIS_GH_WEBHOOK_SECRET": value or ""}
    if value is None:
        del injected["ATLANTIS_GH_WEBHOOK_SECRET"]
    done = _start(tmp_path, injected, shell, list(SECRETS))
    assert done.returncode != 0
    assert "ATLANTIS_GH_WEBHOOK_SECRET: ECS has not injected this secret" in done.stderr
    assert "PRIVATE KEY" not in done.stderr
    assert not (tmp_path / "report").exists()
    assert list((tmp_path / "tmp").iterdir()) == []
