"""Commands on several workers: where they run, how they wait, and what ends a worker, a server or a connection in the middle."""

import hashlib
import json
import os
import re
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from isolation import tls
from isolation.github import GithubError, Rest
from isolation.outcomes import Outcomes
from isolation.recovered import Recovered
from tests.unit.isolation.containers import KEY, PROGRAMS, SILENCE, Containers, can_separate, eventually


@pytest.fixture
def small() -> Iterator[Containers]:
    """Workers that run one command each; a command waits three seconds."""
    if not can_separate():
        pytest.skip("needs root, mount namespaces and stunnel, to run commands as other users")
    with Containers("--grace", "2", commands=1, wait=3) as made:
        yield made


def ended(process: "subprocess.Popen[bytes]") -> tuple[int, str, str]:
    out, error = process.communicate(timeout=120)
    return process.returncode, out.decode(), error.decode()


def runs_on(containers: Containers, *names: str) -> str:
    """The worker that runs a command now."""
    eventually(lambda: any('"event": "start"' in containers.log(name).splitlines()[-1] for name in names))
    return next(name for name in names if '"event": "start"' in containers.log(name).splitlines()[-1])


ENDS: Mapping[str, Callable[[Containers, str], None]] = {
    "killed": Containers.kill,
    "stopped": Containers.stop,
    "cut off": Containers.cut,
    "hanging": lambda containers, name: containers.freeze(name),
}


def plan(containers: Containers, mark: Path, runs: int) -> "subprocess.Popen[bytes]":
    """A plan on one of two workers that hangs until it is started for the last of these times."""
    script = f"echo x >>{mark}/runs; [ $(wc -l <{mark}/runs) -ge {runs} ] || exec sleep 300; echo planned"
    containers.program("terraform", f'case "$1" in plan) {script} ;; esac')
    containers.start("plan-2")
    eventually(lambda: len(containers.dispatcher.workers("plan")) == 2)
    process = containers.popen("run-in-plan", "--", "terraform", "plan")
    eventually(lambda: (mark / "runs").exists() and (mark / "runs").read_text() == "x\n")
    return process


@pytest.mark.parametrize("how", ENDS)
def test_a_plan_whose_worker_ends_starts_again_on_another_one_once(
    containers: Containers, mark: Path, how: str
) -> None:
    process = plan(containers, mark, runs=2)
    worker = runs_on(containers, "plan", "plan-2")
    began = time.monotonic()
    ENDS[how](containers, worker)
    code, out, error = ended(process)
    sentence = f"the plan worker {worker} ended while this command ran; the command starts again on another one\n"
    assert (code, out, error) == (0, "planned\n", sentence)
    assert time.monotonic() - began < 3 * SILENCE


def test_a_plan_that_ends_two_workers_is_given_up(containers: Containers, mark: Path) -> None:
    process = plan(containers, mark, runs=3)
    first = runs_on(containers, "plan", "plan-2")
    containers.kill(first)
    eventually(lambda: (mark / "runs").read_text() == "x\nx\n")
    (second,) = {"plan", "plan-2"} - {first}
    containers.kill(second)
    code, _, error = ended(process)
    assert (code, f"two workers ended while this command ran, the last one is {second}" in error) == (1, True), error


@pytest.mark.parametrize("how", ["killed", "cut off", "hanging"])
def test_an_apply_whose_worker_ends_never_starts_again_and_says_what_to_do(
    containers: Containers, mark: Path, how: str
) -> None:
    containers.start("apply-2")
    process = apply(containers, mark)
    worker = runs_on(containers, "apply", "apply-2")
    ENDS[how](containers, worker)
    code, _, error = ended(process)
    assert code == 1
    for part in (
        "a part may have been applied",
        "its result follows as a comment",
        "plan again",
        "terraform force-unlock",
    ):
        assert part in error
    assert (mark / "runs").read_text() == "x\n"


def test_an_apply_whose_worker_is_stopped_is_interrupted_and_says_so(containers: Containers, mark: Path) -> None:
    process = apply(containers, mark, wait="trap 'echo released; exit 1' INT; while :; do sleep 0.05; done")
    containers.stop("apply")
    code, out, error = ended(process)
    assert (code, out) == (1, "released\n")
    assert "The worker was stopped while this command ran" in error


def apply(containers: Containers, mark: Path, wait: str = "exec sleep 300") -> "subprocess.Popen[bytes]":
    """A step that runs on an apply worker until the file `go` is there, or as `wait` says."""
    make_plan(containers)
    containers.program("tool", f"echo x >>{mark}/runs; echo begins; {wait}")
    process = containers.popen("run-in-apply", "--plan-file", "default.tfplan", "--", "tool")
    eventually((mark / "runs").exists)
    assert process.stdout
    assert process.stdout.readline() == b"begins\n"
    return process


def make_plan(containers: Containers) -> None:
    names = "('tfplan', 'tfconfig/modules.json')"
    archive = (
        f"import zipfile; z = zipfile.ZipFile('default.tfplan', 'w'); [z.writestr(name, '[]') for name in {names}]"
    )
    containers.program("planner", f'exec /usr/bin/python3 -c "{archive}"')
    arguments = ("--generated-configuration", "--plan-file", "default.tfplan", "--", "planner")
    done = containers.run("run-in-plan", *arguments)
    assert done.returncode == 0, done.stderr


class Comments(Rest):
    """Takes comments; refuses the first calls."""

    def __init__(self, *others: str, refused: int = 0) -> None:
        super().__init__("", str, "")
        self.made: list[tuple[str, str]] = []
        self.others, self.refused = others, refused

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        self.refused -= 1
        if self.refused >= 0:
            raise GithubError("GitHub answered 502")
        if method == "GET":
            assert re.search(r"/issues/7/comments\?per_page=100&since=\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$", path)
            return [{"body": other} for other in self.others]
        assert method == "POST"
        assert body
        return self.made.append((path, body["body"]))


def recovering(containers: Containers, comments: Comments, alone: Callable[[], bool] = lambda: True) -> Recovered:
    return Recovered(lambda: containers.dispatcher.workers("apply"), tls.Key(KEY), comments, alone)


UNTIL_GO = "until [ -e {0}/go ]; do sleep 0.05; done; echo applied"


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_an_apply_outlives_its_server_and_the_next_one_comments_the_result(
    containers: Containers,
    mark: Path,
    number: int,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """TERM comes from a server that is stopped: the apply isn't interrupted, and ends with its shim if that lives so long."""
    containers.restart("apply", "--continues-minutes", "1")
    process = apply(containers, mark, wait=UNTIL_GO.format(mark))
    process.send_signal(number)
    comments = Comments()
    recovered = recovering(containers, comments)
    if number == signal.SIGINT:
        assert ended(process)[0] != 0
        recovered.look()
        assert comments.made == []
        return
    if number == signal.SIGKILL:
        process.wait()
        eventually(lambda: any(containers.state("apply").glob("outcomes/*")))
        recovered.look()
        assert comments.made == []
        (mark / "go").touch()
        eventually(lambda: '"event": "end"' in containers.log("apply"))
        eventually(lambda: Outcomes(containers.state("apply") / "outcomes").waiting() == 1)
        recovered.look()
        recovered.look()
        ((path, body),) = comments.made
        assert path == "/repos/my-organization/infrastructure/issues/7/comments"
        assert body.startswith("**`run` in `.` (workspace `default`) has succeeded.** Atlantis ended while it ran")
        assert "begins\napplied\n" in body
        assert '"event": "apply-recovered"' in capsys.readouterr().out
    else:
        time.sleep(0.3)
        (mark / "go").touch()
        assert ended(process)[:2] == (0, "applied\n")
        recovered.look()
        assert comments.made == []
        assert any(containers.state("apply").glob("outcomes/*"))
        monkeypatch.setattr("isolation.recovered._COMMENTED_AFTER", 0)
        recovered.look()
        assert comments.made == []
    eventually(lambda: not any(containers.state("apply").glob("outcomes/*")))


@pytest.mark.parametrize(
    ("others", "made"), [(("Ran Plan for", "> Ran Apply for"), 1), (("Ran Apply for dir: `.`",), 0)]
)
def test_a_result_that_a_server_had_is_commented_by_the_next_one_unless_it_was(
    containers: Containers, mark: Path, monkeypatch: pytest.MonkeyPatch, others: tuple[str, ...], made: int
) -> None:
    """Atlantis comments when all projects of a command have ended."""
    (mark / "go").touch()
    assert ended(apply(containers, mark, wait=UNTIL_GO.format(mark)))[0] == 0
    outcomes = containers.state("apply") / "outcomes"
    eventually(lambda: any("acknowledged" in json.loads(file.read_text()) for file in outcomes.glob("[!.]*")))
    comments, tasks = Comments(*others, refused=2), 2
    recovered = recovering(containers, comments, lambda: tasks == 1)
    # The server that has the result may still run: it is being stopped, or a deployment has begun.
    recovered.look()
    monkeypatch.setattr("isolation.recovered._DRAINS", 0)
    recovered.look()
    tasks = 1
    assert any(outcomes.iterdir())
    for _ in range(4):
        recovered.look()
    assert len(comments.made) == made
    assert [body.split("** ")[1].split("\n")[0] for _, body in comments.made] == [
        "Atlantis ended before it had commented."
    ] * made
    assert not any(outcomes.iterdir())


def test_an_apply_whose_server_and_worker_are_gone_is_reported_as_unknown(containers: Containers, mark: Path) -> None:
    containers.restart("apply", "--continues-minutes", "1")
    process = apply(containers, mark)
    process.kill()
    process.wait()
    comments = Comments()
    recovered = recovering(containers, comments)
    eventually(lambda: any(containers.state("apply").glob("outcomes/*")))
    recovered.look()
    containers.kill("apply")
    containers.cut("apply")
    eventually(lambda: not containers.dispatcher.workers("apply"))
    for _ in range(8):
        recovered.look()
    ((_, body),) = comments.made
    assert "is unknown" in body
    assert "terraform force-unlock" in body


def test_an_apply_that_outlives_its_server_too_long_is_interrupted(containers: Containers, mark: Path) -> None:
    containers.restart("apply", "--continues-minutes", "0.02")
    process = apply(containers, mark, wait="trap 'echo released; exit 1' INT; while :; do sleep 0.05; done")
    process.kill()
    process.wait()
    eventually(lambda: '"event": "end"' in containers.log("apply"))
    comments = Comments()
    recovering(containers, comments).look()
    ((_, body),) = comments.made
    assert "has failed (exit code 1)" in body
    assert "released" in body


def test_a_command_waits_for_a_place_and_says_so_once(small: Containers) -> None:
    go = small.root / "go"
    small.program("tool", f"until [ -e {go} ]; do sleep 0.05; done; echo done")
    first = small.popen("run-in-plan", "--", "tool")
    runs_on(small, "plan")
    second = small.popen("run-in-plan", "--", "tool")
    quiet = small.popen("terraform", "show", "-json")
    assert second.stderr
    expected = (
        "run-in-plan: waits for a free place on a plan worker: 1 of 1 are taken, and 0 commands were here before\n"
    )
    assert second.stderr.readline().decode() == expected
    small.program("terraform", "echo {}")
    go.touch()
    assert [ended(process)[:2] for process in (first, second)] == [(0, "done\n")] * 2
    assert ended(quiet) == (0, "{}\n", "")


def test_a_wait_ends_with_a_sentence(small: Containers) -> None:
    small.program("tool", "exec sleep 300")
    first = small.popen("run-in-plan", "--", "tool")
    runs_on(small, "plan")
    code, _, error = ended(small.popen("run-in-plan", "--", "tool"))
    assert code == 1
    assert (
        "no place on a plan worker became free within 0.05 minutes, so nothing ran: 1 workers are healthy, 1 of 1 places"
        in error
    )
    assert "raise planWorkers or workerWaitMinutes" in error
    first.kill()
    small.fleet.addresses.clear()
    eventually(lambda: not small.dispatcher.workers("plan"))
    code, _, error = ended(small.popen("run-in-plan", "--", "tool"))
    assert "waits for a healthy plan worker: there is none now" in error
    assert "the events of the ECS service plan and the log streams plan/ have the reason" in error


def test_a_command_that_is_killed_while_it_waits_takes_no_place(small: Containers) -> None:
    go = small.root / "go"
    small.program("tool", f"until [ -e {go} ]; do sleep 0.05; done")
    first = small.popen("run-in-plan", "--", "tool")
    runs_on(small, "plan")
    waiting = [small.popen("run-in-plan", "--", "tool") for _ in range(2)]
    eventually(lambda: small.dispatcher.state("plan")["waiting"] == 2)
    waiting[0].kill()
    eventually(lambda: small.dispatcher.state("plan")["waiting"] == 1)
    go.touch()
    assert (ended(first)[0], ended(waiting[1])[0]) == (0, 0)
    eventually(lambda: small.dispatcher.state("plan")["busy"] == 0)
    assert list((small.run_directory / "workers" / "tickets").iterdir()) == []


def test_a_full_worker_runs_nothing_and_the_command_goes_elsewhere(small: Containers) -> None:
    """The server's agent counts its own commands only: those of an earlier server may still run."""
    small.program("tool", "exec sleep 300")
    first = small.popen("run-in-plan", "--", "tool")
    runs_on(small, "plan")
    for ticket in small.dispatcher._places._tickets["plan"]:
        ticket.worker = "another server's"
    small.start("plan-2")
    small.program("tool", "echo done")
    assert ended(small.popen("run-in-plan", "--", "tool"))[:2] == (0, "done\n")
    assert '"event": "start"' in small.log("plan-2")
    first.kill()


def asks_another_worker(containers: Containers) -> None:
    process = containers.popen("terraform", "plan")
    error = process.stderr
    assert error
    eventually(lambda: b"doesn't answer; another one takes the command" in error.readline())
    process.kill()
    process.wait()
    assert '"event": "start"' not in containers.log("plan")


def test_a_worker_takes_nothing_from_a_server_with_another_key(containers: Containers) -> None:
    containers.dispatcher._key = tls.Key("w" * 40)
    asks_another_worker(containers)


def test_a_server_sends_nothing_to_a_worker_with_a_certificate_instead_of_the_key(
    containers: Containers, tmp_path: Path
) -> None:
    """A client of TLS 1.3 that has a key also takes a certificate, from anybody who has the worker's address."""
    certificate = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "k", "-out", "c", "-subj", "/CN=x"]
    subprocess.run(["openssl", *certificate], cwd=tmp_path, check=True, capture_output=True)
    server = ["s_server", "-accept", "127.0.0.1:0", "-key", "k", "-cert", "c", "-tls1_3", "-quiet", "-naccept", "3"]
    with (tmp_path / "got").open("wb") as got:
        impostor = subprocess.Popen(["openssl", *server], cwd=tmp_path, stdin=subprocess.PIPE, stdout=got, stderr=got)
    try:
        containers.fleet.addresses["plan"] = f"127.0.0.1:{_listening_port(impostor.pid)}"
        eventually(lambda: containers.dispatcher.workers("plan") == {"plan": containers.fleet.addresses["plan"]})
        asks_another_worker(containers)
        # On a busy machine, the impostor prints it after the other worker has answered.
        eventually(lambda: b"alert unknown ca" in (tmp_path / "got").read_bytes())
    finally:
        impostor.kill()
        impostor.wait()
    assert b'protocol"' not in (tmp_path / "got").read_bytes()


def test_nobody_has_the_key_of_the_certificate_that_is_accepted() -> None:
    """Its public key is the hash of a sentence, so nobody made it from a private one."""
    key = x509.load_pem_x509_certificate(tls.NOBODYS_CERTIFICATE.encode()).public_key()
    assert isinstance(key, Ed25519PublicKey)
    assert key.public_bytes_raw() == hashlib.sha256(tls.NOBODY.encode()).digest()


def _listening_port(pid: int) -> int:
    def listening() -> list[str]:
        shown = Path(f"/proc/{pid}/net/tcp").read_text(encoding="ascii").splitlines()[1:]
        links = {str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()}
        return [line.split()[1] for line in shown if line.split()[3] == "0A" and f"socket:[{line.split()[9]}]" in links]

    eventually(lambda: bool(listening()))
    return int(listening()[0].partition(":")[2], 16)


@pytest.fixture(params=["dash", "busybox ash"])
def image_shell(request: pytest.FixtureRequest) -> str:
    """The first line of a script for a shell of the images."""
    if subprocess.run([*request.param.split(), "-c", ":"], capture_output=True, check=False).returncode:
        pytest.skip(f"needs {request.param}")
    return f"#!/usr/bin/env -S {request.param}"


def test_four_clones_run_at_once_in_the_server_and_other_commands_of_git_do_not_wait(
    tmp_path: Path, image_shell: str
) -> None:
    (tmp_path / "workers" / "tickets").mkdir(parents=True)
    shim, image, running = tmp_path / "shims" / "git", tmp_path / "bin" / "git", tmp_path / "running"
    for path in (shim.parent, image.parent, running):
        path.mkdir()
    text = (PROGRAMS / "shims" / "git").read_text().replace("#!/bin/sh", image_shell, 1)
    shim.write_text(text)
    until_go = f"touch {running}/$$; until [ -e {tmp_path}/go ]; do sleep 0.02; done"
    image.write_text(f'#!/bin/sh\n[ "$1" = status ] || {{ {until_go}; }}\necho "$@"; exit 3\n')
    for path in (shim, image):
        path.chmod(0o755)
    environment = {"ISOLATION_RUN_DIRECTORY": str(tmp_path), "PATH": f"{shim.parent}:{image.parent}:/usr/bin:/bin"}

    def start(*arguments: str) -> "subprocess.Popen[bytes]":
        return subprocess.Popen([shim, *arguments], env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    clones = [start("clone", str(number)) for number in range(4)]
    eventually(lambda: len(list(running.iterdir())) == 4)
    waiting = [start("fetch", "a b") for _ in range(6)]
    assert ended(start("status")) == (3, "status\n", "")
    time.sleep(0.3)
    assert len(list(running.iterdir())) == 4
    clones.pop().kill()
    eventually(lambda: len(list(running.iterdir())) == 5)
    (tmp_path / "go").touch()
    assert {ended(clone)[0] for clone in clones} == {3}
    assert [ended(fetch) for fetch in waiting] == [(3, "fetch a b\n", "")] * 6


def test_the_shim_works_with_the_shells_of_images(containers: Containers, image_shell: str) -> None:
    shim = containers.root / "shims" / "terraform"
    shim.parent.mkdir()
    text = (PROGRAMS / "bin" / "shim").read_text().replace("#!/bin/sh", image_shell, 1)
    shim.write_text(text.replace("own=${own%/*/*}", f"own={PROGRAMS}"))
    shim.chmod(0o755)
    shim.parent.chmod(0o755)
    containers.program("terraform", 'echo "$*"; exit 3')
    containers.program("tofu", "echo of tofu")
    path = f"{containers.bin}:/usr/bin:/bin"
    (shim.parent / "tofu").symlink_to("terraform")

    def run(*command: str, **environment: str) -> tuple[int, str, str]:
        found = containers.popen(*command, programs=shim.parent, environment={"PATH": path, **environment})
        return ended(found)

    assert run("terraform", "-no-color", "plan", "a b") == (3, "-no-color plan a b\n", "")
    assert run("tofu", "-version") == (0, "of tofu\n", "")
    assert run("terraform", "workspace", "show", WORKSPACE="w") == (0, "w\n", "")
    code, _, error = run("terraform", "plan", ISOLATION_RUN_DIRECTORY="/nonexistent", ISOLATION_SILENCE_SECONDS="1")
    assert (code, "the agent container hasn't started at /nonexistent/workers" in error) == (1, True)
    dead = containers.root / "dead"
    (dead / "workers" / "tickets").mkdir(parents=True)
    for folder in (dead, dead / "workers", dead / "workers" / "tickets"):
        folder.chmod(0o777)
    os.mkfifo(dead / "workers" / "wake")
    (dead / "workers" / "wake").chmod(0o666)
    code, _, error = run("terraform", "plan", ISOLATION_RUN_DIRECTORY=str(dead), ISOLATION_SILENCE_SECONDS="1")
    assert (code, "the agent container doesn't answer, so no worker was asked" in error) == (1, True)
