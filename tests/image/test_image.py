"""The image of docker/, built with buildah, and its programs with the users, capabilities and mounts of the task definitions."""

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from sandbox.atlantis import build
from sandbox.testbed.ports import free_port
from tests.image import stock_root
from tests.unit.isolated import ISOLATED, containers_of, environment_of
from tests.unit.isolation.containers import eventually
from tests.unit.isolation.test_agent import Surroundings, task
from tests.unit.stacks import stack

DOCKER = Path(__file__).parents[2] / "docker"
CHECKOUT = "home/atlantis/.atlantis/repos/my-organization/infrastructure/7/default"
KEY = "k" * 40
# Docker's, and Fargate's; a definition drops some or all of them.
DEFAULT_CAPABILITIES = frozenset(
    {
        *("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE", "NET_RAW"),
        *("SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"),
    }
)
AS_USER = "import os, sys; os.setgroups([]); os.setgid({1}); os.setuid({0}); os.execvp(sys.argv[1], sys.argv[1:])"
missing = [name for name in stock_root.NEEDED if not shutil.which(name)]
if os.geteuid():
    missing.append("root")
pytestmark = pytest.mark.skipif(bool(missing), reason=f"needs {', '.join(missing)}")


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, dict[str, Any]]]:
    """The root of the built image, and its configuration."""
    folder = tmp_path_factory.mktemp("image")
    folder.parent.chmod(0o711)
    server = build.executable()
    stock_root.make(folder / "stock", server)
    (folder / "policy.json").write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
    storage = ["--root", str(folder / "storage"), "--runroot", str(folder / "run"), "--storage-driver", "vfs"]

    def buildah(*command: str) -> str:
        done = subprocess.run(["buildah", *storage, *command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr[-3000:]
        return done.stdout.strip()

    policy = ["--signature-policy", str(folder / "policy.json")]
    base = buildah("from", *policy, "scratch")
    buildah("copy", base, str(folder / "stock"), "/")
    buildah("config", "--env", "PATH=/usr/local/bin:/usr/bin:/bin", "--user", "100", base)
    buildah("commit", *policy, "--rm", base, "localhost/stock:latest")
    # The last stage but one adds tools from the network.
    text = (
        (DOCKER / "Dockerfile").read_text().replace("ghcr.io/runatlantis/atlantis@${DIGEST}", "localhost/stock:latest")
    )
    start, end = text.index("FROM unreadable AS archives"), text.index("# The stage that is built where none is named.")
    (folder / "Dockerfile").write_text(text[:start] + text[end:])
    isolated = ["--isolation", "chroot", "--pull-never", "--file", str(folder / "Dockerfile")]
    buildah("bud", *policy, *isolated, "--tag", "localhost/built:latest", str(DOCKER))
    made = buildah("from", *policy, "--pull-never", "localhost/built:latest")
    configuration = json.loads(buildah("inspect", "--type", "image", "localhost/built:latest"))["OCIv1"]["config"]
    root = Path(buildah("mount", made))
    yield root, configuration
    buildah("umount", made)


def test_the_server_is_unreadable_and_the_programs_are_roots(image: tuple[Path, dict[str, Any]]) -> None:
    root, configuration = image
    assert configuration["User"] == "100"
    assert configuration["Labels"]["atlantis.isolation"] == "2"
    server = (root / "usr/local/bin/atlantis").stat()
    assert (server.st_uid, server.st_mode & 0o777) == (0, 0o711)
    programs = root / "opt/atlantis-isolation"
    assert {path.lstat().st_uid for path in programs.rglob("*")} == {0}
    assert not any(path.stat().st_mode & 0o022 for path in programs.rglob("*") if not path.is_symlink())
    assert (programs / "shims/terraform1.11.4").readlink() == Path("../bin/shim")
    assert (programs / "bin/run-in-plan").readlink() == Path("shim")


class Tasks:
    """Containers of the image as the definitions describe them; the host's network is shared, so the port differs."""

    def __init__(self, root: Path, folder: Path, surroundings: Surroundings) -> None:
        self._root, self._folder, self._surroundings = root, folder, surroundings
        self.processes: list[subprocess.Popen[bytes]] = []
        self.port = free_port()

    def start(self, kind: str, container: Mapping[str, Any], *command: str, **environment: str) -> Path:
        """Start a container in the background; returns its log."""
        log = self._folder / f"{kind}-{container['name']}.log"
        with log.open("wb") as file:
            self.processes.append(
                subprocess.Popen(
                    self._command(kind, container, command, environment), stdout=file, stderr=subprocess.STDOUT
                )
            )
        return log

    def run(
        self, container: Mapping[str, Any], *command: str, **environment: str
    ) -> "subprocess.CompletedProcess[str]":
        """Run a command in the server's container, as its user."""
        as_server = ("/usr/bin/python3", "-c", AS_USER.format(*container["user"].split(":")), *command)
        bare = {**container, "entryPoint": [], "command": [], "user": "0", "linuxParameters": _ONLY_CHANGES_USER}
        full = self._command("server", bare, as_server, environment)
        return subprocess.run(full, capture_output=True, text=True, timeout=120, check=False)

    def volume(self, kind: str, name: str) -> Path:
        """A volume of a task, root's as ECS makes it."""
        path = self._folder / kind / name
        if not path.exists():
            path.mkdir(parents=True)
            path.chmod(0o755)
        return path

    def _command(
        self, kind: str, container: Mapping[str, Any], command: Sequence[str], environment: Mapping[str, str]
    ) -> list[str]:
        dropped = set(container["linuxParameters"]["capabilities"]["drop"])
        kept = () if "ALL" in dropped else sorted(DEFAULT_CAPABILITIES - dropped)
        address = self._surroundings.url
        variables = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            **(environment_of(dict(container)) if "environment" in container else {}),
            "AWS_ENDPOINT_URL": address,
            "AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{address}/v2/credentials/secret",
            "ECS_AGENT_URI": f"{address}/api/0123",
            **environment,
        }
        mounts = [
            part
            for mount in container["mountPoints"]
            if mount["sourceVolume"] != "efs"
            for part in (
                "--ro-bind" if mount["readOnly"] else "--bind",
                str(self.volume(kind, mount["sourceVolume"])),
                mount["containerPath"],
            )
        ]
        return [
            *("bwrap", "--unshare-pid", "--unshare-ipc", "--die-with-parent", "--clearenv", "--cap-drop", "ALL"),
            *(part for name in kept for part in ("--cap-add", f"CAP_{name}")),
            *(part for name, value in variables.items() for part in ("--setenv", name, value)),
            *("--ro-bind", str(self._root), "/", "--proc", "/proc", "--dev", "/dev", *mounts),
            *(*container["entryPoint"], *container["command"], *command),
        ]


_ONLY_CHANGES_USER = {"capabilities": {"drop": sorted(DEFAULT_CAPABILITIES - {"SETUID", "SETGID"})}}


@pytest.fixture
def tasks(image: tuple[Path, dict[str, Any]], tmp_path: Path) -> Iterator[Tasks]:
    surroundings = Surroundings()
    made = Tasks(image[0], tmp_path, surroundings)
    found = task(1, "RUNNING", "RUNNING", "HEALTHY")
    found["attachments"][0]["details"][1]["value"] = "127.0.0.1"
    surroundings.tasks["of-plans"] = [found]
    yield made
    for process in made.processes:
        process.kill()
        process.wait()
    surroundings.close()


def test_a_plan_runs_on_a_worker_with_the_definitions_users_capabilities_and_mounts(tasks: Tasks) -> None:
    graph = stack(**ISOLATED)
    server, worker = containers_of(graph), containers_of(graph, "plan")
    health = worker["executor"]["healthCheck"]["command"]
    executor = tasks.start("plan", worker["executor"])
    tasks.start("plan", worker["agent"])
    tls = tasks.start(
        "plan", {**worker["tls"], "command": ["--port", str(tasks.port), "--address", "127.0.0.1"]}, WORKERS_KEY=KEY
    )
    eventually(lambda: "ready for commands" in executor.read_text())
    checked = {**worker["executor"], "entryPoint": [], "command": []}
    done = subprocess.run(tasks._command("plan", checked, health[1:], {}), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    workers = json.loads(environment_of(server["agent"])["WORKERS"])
    workers |= {"cluster": "atlantis", "port": tasks.port}
    workers["plan"]["service"], workers["apply"]["service"] = "of-plans", "of-applies"
    port = str(tasks._surroundings.port)
    agent = tasks.start("server", server["agent"], WORKERS=json.dumps(workers), WORKERS_KEY=KEY, ATLANTIS_PORT=port)
    eventually(lambda: '"healthy": 1' in agent.read_text())
    data = next(
        each["sourceVolume"]
        for each in server["atlantis"]["mountPoints"]
        if each["containerPath"] == "/home/atlantis/.atlantis"
    )
    checkout = tasks.volume("server", data) / CHECKOUT.removeprefix("home/atlantis/.atlantis/")
    checkout.mkdir(parents=True)
    (checkout / "main.tf").write_text('resource "terraform_data" "one" {}\n')
    subprocess.run(["chown", "-R", server["atlantis"]["user"], tasks.volume("server", data)], check=True)
    path = "/opt/atlantis-isolation/shims:/opt/atlantis-isolation/bin:/usr/local/bin:/usr/bin:/bin"

    def run(script: str) -> "subprocess.CompletedProcess[str]":
        return tasks.run(
            server["atlantis"], "/bin/sh", "-c", f"cd /{CHECKOUT} && {script}", PATH=path, WORKSPACE="default"
        )

    done = run("terraform version && terraform init -input=false && terraform plan -input=false -out default.tfplan")
    assert done.returncode == 0, done.stdout + done.stderr + executor.read_text() + tls.read_text() + agent.read_text()
    assert "1 to add" in done.stdout
    assert str((checkout / "default.tfplan").stat().st_uid) == server["atlantis"]["user"].partition(":")[0]
    probe = "id -u; sed -n s/^CapEff:.//p /proc/self/status; echo x >/tmp/x; cat /run/isolation/broker/agent.sock"
    done = run(f"run-in-plan -- sh -c '{probe}'")
    uid, capabilities = done.stdout.split()
    assert 20000 <= int(uid) <= 59999
    assert int(capabilities, 16) == 0
    assert "Permission denied" in done.stderr
    done = run("cat /usr/local/bin/atlantis")
    assert (done.returncode, done.stdout) == (1, "")
    with contextlib.suppress(ValueError):
        started = [json.loads(line)["event"] for line in executor.read_text().splitlines() if line.startswith("{")]
        assert started == ["start", "end"] * 3
