"""Commands in the executors: real processes of other users, signals, links, leftovers and kills."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.unit.isolation.containers import PROGRAMS, Containers, eventually

ROLES = ("plan",)


def users(containers: Containers) -> set[str]:
    """The users that have processes in the containers; other tests may run with the same ones."""
    found = set()
    for process in containers.processes():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8", errors="replace").splitlines()
            values = dict(line.split(":\t", 1) for line in lines if ":\t" in line)
            if not values["State"].startswith(("Z", "X")):
                found.add(values["Uid"].split()[0])
    return found


def test_a_command_runs_as_a_user_of_its_checkout_at_the_same_path_with_its_input_output_and_exit_code(
    containers: Containers,
) -> None:
    containers.program("terraform", 'id -u; id -G; pwd; cat; echo "args: $*"; echo failed >&2; exit 3')
    containers.write("project/main.tf", "")
    done = containers.run("terraform", "validate", "-json", given="input\n", directory="project")
    uid, groups, path, given, arguments = done.stdout.splitlines()
    assert 20000 <= int(uid) <= 59999
    assert groups == uid
    assert path == str(containers.checkout / "project")
    assert (given, arguments, done.stderr, done.returncode) == ("input", "args: validate -json", "failed\n", 3)


def test_each_checkout_has_a_user_of_its_own_that_cannot_read_the_others(containers: Containers) -> None:
    containers.program("terraform", f"id -u; cat {containers.checkout}/secret; ls {containers.data}/repos")
    containers.write("secret", "of seven\n")
    other = containers.checkout.parents[1] / "8" / "default"
    other.mkdir(parents=True)
    first = containers.run("terraform", "fmt")
    second = containers.run("terraform", "fmt", directory=str(other))
    assert first.stdout.splitlines()[1] == "of seven"
    assert first.stdout.splitlines()[0] != second.stdout.splitlines()[0]
    assert "of seven" not in second.stdout
    assert "Permission denied" in second.stderr


def test_a_job_has_neither_the_servers_variables_nor_the_task_roles_address(containers: Containers) -> None:
    containers.program("terraform", "env; cat /proc/1/environ /proc/$PPID/environ")
    server = {
        "GITHUB_SECRET": "s3cret",
        "TF_VAR_region": "eu",
        "DD_API_KEY": "d",
        "PROJECT_NAME": "p",
        "LD_PRELOAD": "",
    }
    own = {"ISOLATION_SERVER_NAMES": "GITHUB_SECRET TF_VAR_region DD_API_KEY PATH", "ISOLATION_FORWARD": "DD_API_KEY"}
    done = containers.run("terraform", "fmt", environment={**server, **own})
    names = {line.split("=", 1)[0] for line in done.stdout.splitlines()}
    assert {"TF_VAR_region", "DD_API_KEY", "PROJECT_NAME", "WORKSPACE"} <= names
    assert not {"GITHUB_SECRET", "LD_PRELOAD", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "ISOLATION_FORWARD"} & names
    assert "v2/credentials" not in done.stdout
    assert done.stderr.count("Permission denied") == 2


def test_a_job_has_the_session_of_its_containers_role_and_no_other_user_can_read_it(containers: Containers) -> None:
    containers.program(
        "terraform", "$(sed -n 's/credential_process = //p' $AWS_CONFIG_FILE); ls -ld $(dirname $AWS_CONFIG_FILE)"
    )
    done = containers.run("terraform", "fmt")
    session = json.loads(done.stdout[: done.stdout.index("}") + 1])
    assert (session["Version"], session["AccessKeyId"]) == (1, "AKIA1")
    assert done.stdout[done.stdout.index("}") + 1 :].startswith("drwxr-x--- 2 root ")
    assert containers.sessions == [("arn:aws:iam::123456789012:role/plan", "fmt.my-organization.infrastructure.7")]
    # The command's end takes the session away; the agent still has it for the next one.
    assert list((containers.state("plan") / "credentials").iterdir()) == []
    containers.run("terraform", "fmt")
    assert len(containers.sessions) == 1


def test_a_session_that_ends_soon_is_renewed_while_the_command_runs(containers: Containers) -> None:
    containers.lifetime = 1
    containers.program(
        "terraform",
        "head -c 60 $(dirname $AWS_CONFIG_FILE)/session.json; sleep 4; head -c 60 $(dirname $AWS_CONFIG_FILE)/session.json",
    )
    done = containers.run("terraform", "fmt")
    assert "AKIA1" in done.stdout
    assert "AKIA1" not in done.stdout[60:]


@pytest.mark.parametrize(
    "script",
    [
        "for i in 1 2 3; do (trap '' HUP TERM INT; setsid sleep 300 & setsid sleep 300 >/dev/null 2>&1 &) ; done",
        "bomb() { sleep 0.01; bomb & bomb & }; bomb & sleep 0.5; exit 0",
    ],
    ids=["other sessions", "forks without end"],
)
def test_no_process_of_a_job_outlives_it(containers: Containers, script: str) -> None:
    containers.program("terraform", f"id -u; {script}")
    start = time.monotonic()
    done = containers.run("terraform", "fmt")
    assert time.monotonic() - start < 60
    assert done.stdout.splitlines()[0] not in users(containers)


def test_a_job_cannot_signal_the_executor_or_connect_to_it(containers: Containers) -> None:
    socket = containers.root / "plan-run" / "executor" / "executor.sock"
    broker = containers.root / "plan-run" / "broker" / "agent.sock"
    script = (
        "import os,socket\nfor pid in (os.getppid(), 1):\n"
        "    try: os.kill(pid, 15); print('killed')\n    except PermissionError: print('refused')\n"
        f"for path in ({str(socket)!r}, {str(broker)!r}):\n"
        "    try: socket.socket(socket.AF_UNIX).connect(path); print('connected')\n"
        "    except PermissionError: print('refused')\n"
    )
    containers.write("attack.py", script)
    containers.program("terraform", "exec /usr/bin/python3 attack.py")
    done = containers.run("terraform", "fmt")
    assert done.stdout.split() == ["refused"] * 4, done.stderr


def test_a_program_with_the_set_user_bit_gives_no_rights(containers: Containers) -> None:
    containers.program("terraform", "grep NoNewPrivs /proc/self/status; grep CapEff /proc/self/status")
    assert containers.run("terraform", "fmt").stdout.split() == ["NoNewPrivs:", "1", "CapEff:", "0000000000000000"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_a_signal_to_the_shim_interrupts_terraform_once(containers: Containers, number: int, mark: Path) -> None:
    containers.program(
        "terraform",
        f"trap 'echo interrupt >>{mark}/log; exit 5' INT; touch {mark}/started; while :; do sleep 0.05; done",
    )
    process = containers.popen("terraform", "fmt")
    eventually((mark / "started").exists)
    process.send_signal(number)
    eventually((mark / "log").exists)
    assert process.wait(20) == (-signal.SIGKILL if number == signal.SIGKILL else 5)
    process.communicate()
    time.sleep(0.3)
    assert (mark / "log").read_text().splitlines() == ["interrupt"]


def test_a_job_that_ignores_the_interrupt_of_an_abandoned_command_is_killed(containers: Containers, mark: Path) -> None:
    containers.program(
        "terraform", f"trap '' INT TERM; id -u >{mark}/uid; touch {mark}/started; while :; do sleep 0.05; done"
    )
    process = containers.popen("terraform", "fmt")
    eventually((mark / "started").exists)
    process.kill()
    process.communicate()
    eventually(lambda: (mark / "uid").read_text().strip() not in users(containers))


def test_the_death_of_terraform_by_a_signal_is_the_shims(containers: Containers) -> None:
    containers.program("terraform", "kill -SEGV $$")
    assert containers.run("terraform", "fmt").returncode == -signal.SIGSEGV


def test_output_comes_while_the_command_runs_and_in_order_where_both_streams_are_one(containers: Containers) -> None:
    containers.program("terraform", "for i in 1 2 3 4 5; do echo $i; echo $i >&2; done; read line; echo got $line")
    process = containers.popen("terraform", "fmt", merge=True)
    assert process.stdout
    assert process.stdin
    assert [process.stdout.readline() for _ in range(10)] == [f"{i}\n".encode() for i in range(1, 6) for _ in range(2)]
    process.stdin.write(b"it\n")
    process.stdin.flush()
    assert process.stdout.readline() == b"got it\n"
    assert process.wait(20) == 0


def test_a_program_that_the_image_lacks_is_named(containers: Containers) -> None:
    done = containers.run("run-in-plan", "--", "no-such-program")
    assert (done.returncode, done.stderr) == (127, "no-such-program isn't in the image of the workers\n")


def test_a_command_outside_of_every_checkout_is_refused(containers: Containers) -> None:
    done = containers.run("terraform", "plan", directory=str(containers.data))
    assert done.returncode == 1
    assert "isn't in a checkout of Atlantis" in done.stderr


def test_the_version_comes_from_the_images_program_and_no_checkout_is_entered(containers: Containers) -> None:
    containers.program("terraform", 'echo "Terraform v1.11.4"; pwd; env | cut -d= -f1')
    containers.stop("plan")
    done = containers.run("terraform", "version", environment={"TF_CLI_ARGS": "x", "SECRET": "y"})
    assert done.stdout.split()[:3] == ["Terraform", "v1.11.4", "/"]
    assert not {"TF_CLI_ARGS", "SECRET"} & set(done.stdout.split())


def test_the_version_never_comes_from_a_program_of_the_checkout_or_from_the_shim_itself(containers: Containers) -> None:
    containers.write("tofu", "#!/bin/sh\necho of the pull request\n", mode=0o755)
    again = containers.root / "again"
    again.mkdir()
    again.chmod(0o755)
    (again / "tofu").symlink_to(PROGRAMS / "shims" / "tofu")
    done = containers.run("tofu", "version", environment={"PATH": f":.:{again}:/usr/bin:/bin"})
    assert (done.returncode, done.stdout, done.stderr) == (127, "", "tofu isn't in the image\n")


def test_the_part_of_a_shim_in_python_imports_nothing_that_takes_long() -> None:
    script = f"import sys; sys.path.insert(0, {str(PROGRAMS)!r}); import isolation.remote; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-IS", "-c", script], capture_output=True, text=True, check=True)
    assert not {"dataclasses", "inspect", "random", "shutil", "zipfile", "urllib.request"} & set(done.stdout.split())


def test_the_health_check_reports_what_is_wrong(containers: Containers) -> None:
    def checked() -> "subprocess.CompletedProcess[str]":
        environment = {"PATH": os.environ["PATH"], "ISOLATION_RUN_DIRECTORY": str(containers.root / "plan-run")}
        command = [PROGRAMS / "bin" / "check-executor"]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert checked().returncode == 0
    containers.stop("plan")
    done = checked()
    assert (done.returncode, "Connection refused" in done.stderr) == (1, True)
    containers.state("plan").rename(containers.root / "moved")
    containers.state("plan").write_text("not a directory")
    containers.start("plan")
    done = checked()
    assert done.returncode == 1
    assert "can't run commands: plan: this container can't run commands as other users" in done.stderr
