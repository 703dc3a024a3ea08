"""The shell that starts the server: what it hands over, and what it leaves behind, run by the shells of both images."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from components.compute.server_start import server_start
from components.configuration import notifications

SECRETS = {
    "ATLANTIS_GH_APP_ID": "123456",
    "ATLANTIS_GH_APP_KEY": "-----BEGIN RSA PRIVATE KEY-----\nMIIEow/+==\nZmFrZQ==\n-----END RSA PRIVATE KEY-----\n",
    "ATLANTIS_GH_WEBHOOK_SECRET": " $(id) `id` \\n ' \" : # %s é $HOME",
    "ATLANTIS_WEB_PASSWORD": "-n",
    "ATLANTIS_REPO_CONFIG_JSON": '{"repos": [{"id": "/.*/", "pre_workflow_hooks": [{"run": "echo \\"$X\\" # é"}]}]}',
}

# A program instead of the server: `python server --config ...` runs the file `server` of the working directory, and
# records what the server would be started with.
_SERVER = """
import json, os, sys, time
option, path = sys.argv[1:]
with open(path, encoding="utf-8") as pipe:
    configuration = pipe.read()
deadline = time.monotonic() + 5
while os.path.exists(path) and time.monotonic() < deadline:
    time.sleep(0.01)
json.dump({
    "arguments": [sys.argv[0], option],
    "configuration": configuration,
    "environment": dict(os.environ),
    "initial": open("/proc/self/environ", encoding="utf-8").read(),
    "left": os.listdir(os.environ["TMPDIR"]),
    "mode": oct(os.stat("/proc/self/exe").st_mode),
    "parent": os.getppid(),
}, open("report", "w", encoding="utf-8"))
"""
_ENTRY_POINT = """#!/bin/sh
echo "$*" >>prepared
env >>prepared
exec "$@"
"""


def _image(folder: Path, server: str = _SERVER) -> Path:
    """A PATH with an ``atlantis``, which runs the program ``server`` in ``folder``, and the entry point of the stock image."""
    programs = folder / "bin"
    programs.mkdir()
    (folder / "tmp").mkdir()
    shutil.copy(Path(sys.executable).resolve(), programs / "atlantis")
    (folder / "server").write_text(server, encoding="utf-8")
    entry_point = programs / "docker-entrypoint.sh"
    entry_point.write_text(_ENTRY_POINT, encoding="utf-8")
    entry_point.chmod(0o755)
    return programs


def _environment(folder: Path) -> dict[str, str]:
    return {
        "PATH": f"{folder / 'bin'}:/usr/bin:/bin",
        "TMPDIR": str(folder / "tmp"),
        "PYTHONHOME": sys.base_prefix,
        "ATLANTIS_PORT": "4141",
    }


def _start(
    folder: Path, secrets: dict[str, str], shell: list[str], names: list[str] | None = None
) -> "subprocess.CompletedProcess[str]":
    start = server_start(names or list(secrets))
    _image(folder)
    return subprocess.run(
        [*shell, *start["entryPoint"][1:], *start["command"]],
        env=_environment(folder) | secrets,
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


def test_the_server_gets_secrets_and_rules_in_its_configuration_and_none_in_its_environment(
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
        "repo-config-json": SECRETS["ATLANTIS_REPO_CONFIG_JSON"],
    }
    assert report["arguments"] == ["server", "--config"]
    assert report["environment"]["ATLANTIS_PORT"] == "4141"
    assert report["environment"].keys().isdisjoint(SECRETS)
    # What /proc shows of the process that took the shell's place.
    assert [name for name in SECRETS if name in report["initial"]] == []
    assert report["left"] == []


def test_notifications_are_a_block_of_the_configuration_and_leave_the_environment(
    tmp_path: Path, shell: list[str]
) -> None:
    hooks = [{"event": "apply", "kind": "slack", "channel": "é $(id) `id` ' \\n"}]
    block = {notifications.VARIABLE: notifications.fragment(hooks)}
    assert _start(tmp_path, SECRETS | block, shell, list(SECRETS)).returncode == 0
    report = json.loads((tmp_path / "report").read_text(encoding="utf-8"))
    configuration = yaml.safe_load(report["configuration"])
    assert configuration["webhooks"] == hooks
    assert configuration["web-password"] == SECRETS["ATLANTIS_WEB_PASSWORD"]
    assert notifications.VARIABLE not in report["environment"]


def test_the_server_runs_from_a_file_that_its_own_user_can_only_execute(tmp_path: Path, shell: list[str]) -> None:
    assert _start(tmp_path, SECRETS, shell).returncode == 0
    assert json.loads((tmp_path / "report").read_text(encoding="utf-8"))["mode"] == oct(0o100111)


def test_the_image_s_entry_point_prepares_the_container_without_a_secret_and_leaves_process_1_to_the_server(
    tmp_path: Path, shell: list[str]
) -> None:
    assert _start(tmp_path, SECRETS, shell).returncode == 0
    arguments, *environment = (tmp_path / "prepared").read_text(encoding="utf-8").splitlines()
    assert arguments == "true"
    assert [name for name in SECRETS if any(line.startswith(f"{name}=") for line in environment)] == []
    # The process that the test started: nothing is in front of the server.
    assert json.loads((tmp_path / "report").read_text(encoding="utf-8"))["parent"] == os.getpid()


# A plan's process, which stops its parent, the server, and looks at it.
_PLAN = """
import subprocess, sys
open(sys.argv[2], encoding="utf-8").read()
look = 'grep ^State: "/proc/$PPID/status" | cut -f 2 | cut -c 1 >state'
subprocess.run(["sh", "-c", f'kill -STOP "$PPID"; sleep 0.5; {look}; kill -CONT "$PPID"'], check=True)
"""
_NAMESPACE = ["unshare", "--user", "--map-root-user", "--pid", "--fork", "--mount-proc", "--kill-child"]


@pytest.mark.parametrize("in_front", [False, True], ids=["the server is process 1", "an init is process 1"])
def test_a_plan_can_t_stop_the_server_where_it_is_process_1(tmp_path: Path, in_front: bool) -> None:
    if subprocess.run([*_NAMESPACE, "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("this machine allows no user namespaces")
    start = server_start(["ATLANTIS_GH_APP_ID"])
    _image(tmp_path, _PLAN)
    command = ["/bin/sh", *start["entryPoint"][1:], *start["command"]]
    subprocess.run(
        [*_NAMESPACE, *(["sh", "-c", '"$@" & wait $!', "init"] if in_front else []), *command],
        env=_environment(tmp_path) | {"ATLANTIS_GH_APP_ID": "1"},
        cwd=tmp_path,
        check=True,
        timeout=120,
    )
    assert (tmp_path / "state").read_text(encoding="utf-8").strip() == ("T" if in_front else "S")


@pytest.mark.parametrize("value", [None, ""], ids=["absent", "empty"])
def test_a_secret_that_was_not_injected_ends_the_start_before_the_server(
    tmp_path: Path, shell: list[str], value: str | None
) -> None:
    injected = SECRETS | {"ATLANTIS_GH_WEBHOOK_SECRET": value or ""}
    if value is None:
        del injected["ATLANTIS_GH_WEBHOOK_SECRET"]
    done = _start(tmp_path, injected, shell, list(SECRETS))
    assert done.returncode != 0
    assert "ATLANTIS_GH_WEBHOOK_SECRET: ECS has not set this variable" in done.stderr
    assert "PRIVATE KEY" not in done.stderr
    assert not (tmp_path / "report").exists()
    assert list((tmp_path / "tmp").iterdir()) == []


def start(folder: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run the isolated start up to the server, which reports its environment."""
    programs = folder / "programs"
    (programs / "bin").mkdir(parents=True, exist_ok=True)
    for name in ("bin", "tmp"):
        (folder / name).mkdir(exist_ok=True)
    shutil.copy(shutil.which("true") or "", folder / "bin" / "atlantis")
    # It gets the environment that the server gets, and takes the configuration in the server's place.
    entry_point = folder / "bin" / "docker-entrypoint.sh"
    entry_point.write_text('#!/bin/sh\ntr "\\0" "\\n" </proc/$$/environ; cat "$TMPDIR"/*/server.yaml\n')
    entry_point.chmod(0o755)
    script = server_start([], isolated=True)["entryPoint"]
    return subprocess.run(
        ["/bin/sh", "-c", script[2].replace("/opt/atlantis-isolation", str(programs)), "server-start"],
        env={
            "PATH": f"{folder / 'bin'}:/usr/bin:/bin",
            "ATLANTIS_DATA_DIR": str(folder / "data"),
            "TMPDIR": str(folder / "tmp"),
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


def test_the_server_starts_with_the_shims_first_and_without_the_addresses_and_programs_of_before(
    tmp_path: Path,
) -> None:
    shim = tmp_path / "programs" / "shims" / "terraform"
    shim.parent.mkdir(parents=True)
    shim.touch(mode=0o755)
    (tmp_path / "data" / "bin").mkdir(parents=True)
    (tmp_path / "data" / "bin" / "terraform1.5.7").write_text("planted")
    (tmp_path / "data" / "repos").mkdir()
    done = start(
        tmp_path, AWS_CONTAINER_CREDENTIALS_RELATIVE_URI="/secret", ECS_AGENT_URI="http://secret", GIVEN="a\nb"
    )
    environment = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    assert environment["PATH"].startswith(f"{tmp_path}/programs/shims:{tmp_path}/programs/bin:")
    assert {"PATH", "GIVEN", "ATLANTIS_DATA_DIR", "TMPDIR"} <= set(environment["ISOLATION_SERVER_NAMES"].split())
    assert "secret" not in done.stdout
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["repos"]


def test_an_image_without_the_programs_says_which_image_it_needs(tmp_path: Path) -> None:
    done = start(tmp_path)
    assert done.returncode == 1
    assert "build the image of docker/" in done.stderr
