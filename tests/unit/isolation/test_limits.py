"""What a command may take: the disk, one file, memory before others, processes."""

import signal
from pathlib import Path

import pytest

from tests.unit.isolation.containers import Containers, eventually


def test_a_command_that_fills_the_disk_is_killed_and_one_with_few_files_goes_on(containers: Containers) -> None:
    containers.stop("plan")
    containers.start("plan", "--free-disk", str(20 << 20), disk="64M")
    mark = containers.root / "mark"
    mark.mkdir()
    mark.chmod(0o777)
    containers.program("patient", f"touch {mark}/started; while ! test -e {mark}/go; do sleep 0.1; done; echo went on")
    other = containers.checkout.parents[1] / "8" / "default"
    other.mkdir(parents=True)
    patient = containers.popen("run-in-plan", "--", "patient", directory=str(other))
    eventually((mark / "started").exists)
    containers.program("greedy", "head -c 100M /dev/zero >filler; sleep 60")
    done = containers.run("run-in-plan", "--", "greedy")
    assert done.returncode == -signal.SIGKILL
    assert "the disk has less than 20971520 bytes left" in done.stderr
    (mark / "go").touch()
    assert patient.communicate(timeout=20)[0] == b"went on\n"


@pytest.mark.parametrize("where", [".", "$HOME", "$TMPDIR"])
def test_a_command_whose_files_are_too_large_together_is_killed_and_leaves_none(
    containers: Containers, where: str
) -> None:
    containers.stop("plan")
    containers.start("plan", "--largest-copy", str(20 << 20))
    containers.write("main.tf", "one\n")
    containers.program("modest", f"cd {where}; fallocate -l 8M filler; sleep 2.5; rm filler; echo went on")
    assert containers.run("run-in-plan", "--", "modest").stdout == "went on\n"
    containers.program("greedy", f"cd {where}; for i in 1 2 3; do fallocate -l 9M filler$i; done; sleep 60")
    done = containers.run("run-in-plan", "--", "greedy")
    assert done.returncode == -signal.SIGKILL
    assert "and may have 20971520" in done.stderr
    assert list(containers.root.rglob("filler*")) == []
    containers.program("tool", "cat main.tf")
    assert containers.run("run-in-plan", "--", "tool").stdout == "one\n"


def test_one_file_does_not_get_larger_than_all_may_be(containers: Containers) -> None:
    containers.stop("plan")
    containers.start("plan", "--largest-copy", str(20 << 20))
    containers.program("greedy", "trap '' XFSZ; fallocate -l 30M filler")
    done = containers.run("run-in-plan", "--", "greedy")
    assert done.returncode == 1
    assert "File too large" in done.stderr


def test_the_kernel_ends_a_command_before_its_executor_when_memory_runs_out(containers: Containers) -> None:
    containers.program("tool", "cat /proc/self/oom_score_adj")
    assert containers.run("run-in-plan", "--", "tool").stdout == "1000\n"
    executor = containers.first_process(containers._executors["plan"])
    assert int(Path(f"/proc/{executor}/oom_score_adj").read_text(encoding="ascii")) < 1000
