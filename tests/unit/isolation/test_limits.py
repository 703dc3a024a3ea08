"""What a command may take: the disk, one file, memory before others, processes."""

import signal
from pathlib import Path

import pytest

from tests.unit.isolation.containers import Containers, eventually

ROLES = ("plan",)


def test_a_command_that_fills_the_disk_is_killed_and_one_with_few_files_goes_on(
    containers: Containers, mark: Path
) -> None:
    containers.restart("plan", "--free-disk", str(20 << 20), disk="64M")
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
    assert patient.communicate(timeout=120)[0] == b"went on\n"


@pytest.mark.parametrize("where", [".", "$HOME", "$TMPDIR"])
def test_a_command_whose_files_are_too_large_together_is_killed_and_leaves_none(
    containers: Containers, where: str
) -> None:
    containers.restart("plan", "--largest-copy", str(20 << 20))
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
    containers.restart("plan", "--largest-copy", str(20 << 20))
    containers.program("greedy", "trap '' XFSZ; fallocate -l 30M filler")
    done = containers.run("run-in-plan", "--", "greedy")
    assert done.returncode == 1
    assert "File too large" in done.stderr


def test_the_kernel_ends_a_command_before_its_executor_when_memory_runs_out(containers: Containers) -> None:
    containers.program("tool", "cat /proc/self/oom_score_adj")
    assert containers.run("run-in-plan", "--", "tool").stdout == "1000\n"
    executor = containers.first_process(containers._executors["plan"])
    assert int(Path(f"/proc/{executor}/oom_score_adj").read_text(encoding="ascii")) < 1000


OBJECTS = """
import ctypes, os
library = ctypes.CDLL(None, use_errno=True)
for made in (library.shmget(0, 4096, 0o1666), library.semget(0, 1, 0o1666), library.msgget(0, 0o1666)):
    assert made >= 0
# Given to another user, it is still its creator's to remove.
given = library.shmget(0, 4096, 0o1666)
descriptor = ctypes.create_string_buffer(256)
assert library.shmctl(given, 2, descriptor) == 0
ctypes.memmove(ctypes.addressof(descriptor) + 4, (65534).to_bytes(4, "little"), 4)
assert library.shmctl(given, 1, descriptor) == 0
queue = ctypes.CDLL("librt.so.1", use_errno=True).mq_open(b"/left", os.O_CREAT | os.O_RDWR, 0o666, None)
print("queue", queue, os.strerror(ctypes.get_errno()))
os.mkdir("/tmp/left-behind")
for place in ("/tmp/left-behind/file", "/dev/shm/left-behind", "/var/tmp/left-behind"):
    open(place, "w").write("x")
print(os.getuid())
"""


def test_nothing_of_a_command_stays_but_its_copy_and_its_home(containers: Containers) -> None:
    containers.write("objects.py", OBJECTS)
    containers.program("tool", "exec /usr/bin/python3 objects.py")
    done = containers.run("run-in-plan", "--", "tool")
    assert done.returncode == 0, done.stderr
    queue, uid = done.stdout.splitlines()
    assert queue == "queue -1 Too many open files"
    left = [
        f"{kind}: {line}"
        for kind in ("shm", "sem", "msg")
        for line in Path(f"/proc/sysvipc/{kind}").read_text(encoding="ascii").splitlines()
        if uid in line.split()
    ]
    assert left == []
    containers.program("tool", "ls -d /tmp/left* /dev/shm/left* /var/tmp/left*; stat -c %a /tmp /dev/shm /var/tmp")
    assert containers.run("run-in-plan", "--", "tool").stdout.split() == ["1777"] * 3


HIDDEN = """
import ctypes, os, time
if {hides}:
    ctypes.CDLL(None).prctl(4, 0, 0, 0, 0)
opened = [open(f"filler{{n}}", "wb") for n in range(4)]
for number, file in enumerate(opened):
    os.unlink(file.name)
    os.posix_fallocate(file.fileno(), 0, 9 << 20)
time.sleep(60)
"""


@pytest.mark.parametrize(
    ("hides", "expected"),
    [(False, "and may have 20971520"), (True, "this command hides which files it has open")],
    ids=["open files without a name", "of a process that can't be examined"],
)
def test_files_without_a_name_count_too(containers: Containers, hides: bool, expected: str) -> None:
    containers.restart("plan", "--largest-copy", str(20 << 20), "--free-disk", str(30 << 20), disk="64M")
    containers.write("hidden.py", HIDDEN.format(hides=hides))
    containers.program("tool", "exec /usr/bin/python3 hidden.py")
    done = containers.run("run-in-plan", "--", "tool")
    assert done.returncode == -signal.SIGKILL
    assert expected in done.stderr
