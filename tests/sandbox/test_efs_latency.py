"""The file system with EFS' latency has what Atlantis, git and BoltDB do with a volume, waits as its model says, and always ends."""

import errno
import fcntl
import mmap
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from sandbox import efs_latency
from sandbox.efs_latency import mount
from sandbox.efs_latency.mount import Latency
from sandbox.testbed.paths import CHECKOUT
from tests.needs import needs_fuse

pytestmark = needs_fuse()

SLOW = Latency(read=0.1, write=0.25)
LOCK = "import fcntl, sys; fcntl.{kind}(open(sys.argv[1], 'r+'), fcntl.LOCK_EX | fcntl.LOCK_NB)"
AS_PARENT = """
import sys, time
from pathlib import Path
from sandbox.efs_latency import mounted
with mounted(Path(sys.argv[1]), Path(sys.argv[2])):
    print("mounted", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def volume(tmp_path: Path) -> Iterator[Path]:
    with efs_latency.mounted(tmp_path / "files", tmp_path / "place"):
        yield tmp_path / "place"


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[Path]:
    with efs_latency.mounted(tmp_path / "files", tmp_path / "place", SLOW):
        yield tmp_path / "place"


def seconds(work: object) -> float:
    started = time.perf_counter()
    assert callable(work)
    work()
    return time.perf_counter() - started


def gone(place: Path) -> bool:
    return str(place) not in Path("/proc/self/mounts").read_text(encoding="utf-8") and not list(place.iterdir())


def test_files_directories_and_links_are_those_of_the_directory_behind(volume: Path, tmp_path: Path) -> None:
    files = tmp_path / "files"
    (volume / "folder").mkdir(mode=0o750)
    (volume / "folder" / "file").write_bytes(b"content" * 50_000)
    assert (files / "folder" / "file").read_bytes() == b"content" * 50_000
    os.link(volume / "folder" / "file", volume / "hard")
    (volume / "soft").symlink_to("folder/file")
    assert os.lstat(volume / "soft").st_ino == os.lstat(files / "soft").st_ino
    assert (volume / "soft").read_bytes() == (volume / "hard").read_bytes() == b"content" * 50_000
    assert (volume / "hard").stat().st_nlink == 2
    assert sorted(os.listdir(volume)) == ["folder", "hard", "soft"]  # noqa: PTH208
    (volume / "hard").replace(volume / "folder" / "file")
    (volume / "hard").unlink()
    (volume / "new").write_text("new")
    (volume / "new").replace(volume / "soft")
    assert (files / "soft").read_text() == "new"
    with pytest.raises(OSError, match="not empty"):
        (volume / "folder").rmdir()
    (volume / "folder" / "file").unlink()
    (volume / "folder").rmdir()
    assert [path.name for path in files.iterdir()] == ["soft"]


def test_attributes_can_be_changed_and_content_truncated_and_appended(volume: Path, tmp_path: Path) -> None:
    file = volume / "file"
    file.write_text("0123456789")
    file.chmod(0o640)
    os.chown(file, 100, -1)
    os.utime(file, ns=(1_000_000_001, 2_000_000_002))
    behind = (tmp_path / "files" / "file").stat()
    assert (behind.st_mode & 0o777, behind.st_uid, behind.st_gid) == (0o640, 100, 0)
    assert (behind.st_atime_ns, behind.st_mtime_ns) == (1_000_000_001, 2_000_000_002)
    assert file.stat().st_mtime_ns == 2_000_000_002
    file.touch()
    assert file.stat().st_mtime_ns > 2_000_000_002
    os.truncate(file, 4)
    with file.open("a") as opened:
        opened.write("appended")
        opened.flush()
        os.fsync(opened.fileno())
        assert file.read_text() == "0123appended"
    file.write_text("shorter")
    assert file.read_text() == (tmp_path / "files" / "file").read_text() == "shorter"
    with pytest.raises(OSError, match="supported") as refused:
        os.getxattr(file, "user.name")
    assert refused.value.errno == errno.ENOTSUP


def test_a_container_s_user_owns_what_it_creates_and_reads_only_what_it_may(volume: Path) -> None:
    volume.chmod(0o777)
    (volume / "secret").write_text("of root")
    (volume / "secret").chmod(0o600)
    # The test's folders are closed to other users; the working directory is opened before the user is changed.
    script = "mkdir mine && echo text > mine/file && ln -s file mine/link && cat secret"
    ran = subprocess.run(
        ["/bin/sh", "-c", script],
        cwd=volume, user=20000, group=20000, extra_groups=[], capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "Permission denied" in ran.stderr
    assert ran.stdout == ""
    for name in ("mine", "mine/file", "mine/link"):
        assert (os.lstat(volume / name).st_uid, os.lstat(volume / name).st_gid) == (20000, 20000)


@pytest.mark.parametrize("kind", ["flock", "lockf"])
def test_a_lock_excludes_another_process(volume: Path, kind: str) -> None:
    file = volume / "atlantis.db"
    file.touch()
    other = [sys.executable, "-c", LOCK.format(kind=kind), str(file)]
    with file.open("r+") as opened:
        getattr(fcntl, kind)(opened, fcntl.LOCK_EX)
        refused = subprocess.run(other, capture_output=True, text=True, check=False)
        assert "BlockingIOError" in refused.stderr
    subprocess.run(other, check=True)


def test_a_mapping_shows_what_is_written_and_its_own_changes_reach_the_file(volume: Path, tmp_path: Path) -> None:
    """BoltDB reads its file by a mapping, and writes it by descriptor."""
    file = volume / "atlantis.db"
    file.write_bytes(bytes(4 * mmap.PAGESIZE))
    with file.open("r+b", buffering=0) as opened, mmap.mmap(opened.fileno(), 0) as mapped:
        assert mapped[mmap.PAGESIZE] == 0
        os.pwrite(opened.fileno(), b"written", mmap.PAGESIZE)
        os.fdatasync(opened.fileno())
        assert mapped[mmap.PAGESIZE : mmap.PAGESIZE + 7] == b"written"
        mapped[0:6] = b"mapped"
        mapped.flush()
    content = (tmp_path / "files" / "atlantis.db").read_bytes()
    assert (content[:6], content[mmap.PAGESIZE : mmap.PAGESIZE + 7]) == (b"mapped", b"written")


def test_git_clones_and_commits(volume: Path) -> None:
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "protocol.file.allow=always"]
    for number in range(5):
        (volume / "source" / "folder").mkdir(parents=True, exist_ok=True)
        (volume / "source" / "folder" / f"{number}.tf").write_text(f"{number}\n")
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"]):
        subprocess.run([*git, *arguments], cwd=volume / "source", check=True)
    subprocess.run([*git, "clone", "-q", str(volume / "source"), str(volume / "clone")], check=True)
    changed = subprocess.run([*git, "status", "--short"], cwd=volume / "clone", capture_output=True, check=True)
    assert changed.stdout == b""
    subprocess.run([*git, "fsck", "--strict"], cwd=volume / "clone", check=True)


def test_requests_take_their_time_and_what_is_cached_takes_none(slow: Path, tmp_path: Path) -> None:
    (tmp_path / "files" / "file").write_text("content")
    file = slow / "file"
    assert seconds(file.lstat) >= SLOW.read
    assert seconds(file.lstat) < SLOW.read
    assert seconds(lambda: file.chmod(0o600)) >= SLOW.write
    descriptors: list[int] = []
    # The second time, the content is cached, because the file hasn't changed.
    for read_at_least, read_less_than in ((SLOW.read, 1.0), (0.0, SLOW.read)):
        assert seconds(lambda: descriptors.append(os.open(file, os.O_RDONLY))) >= SLOW.read
        assert read_at_least <= seconds(lambda: os.read(descriptors[-1], 100)) < read_less_than
        assert seconds(lambda: os.close(descriptors[-1])) >= SLOW.read
    with file.open("ab", buffering=0) as opened:
        assert seconds(lambda: opened.write(b"written")) < SLOW.read
        assert seconds(lambda: os.fsync(opened.fileno())) >= SLOW.write
        opened.write(b"written")
        assert seconds(opened.close) >= SLOW.write


def test_a_change_is_one_request_after_the_name_was_looked_up(slow: Path) -> None:
    slow.stat()
    assert SLOW.read + SLOW.write <= seconds((slow / "folder").mkdir) < 2 * SLOW.write
    assert SLOW.write <= seconds(lambda: (slow / "folder").chmod(0o700)) < SLOW.read + SLOW.write
    assert SLOW.write <= seconds((slow / "folder").rmdir) < SLOW.read + SLOW.write


def test_a_listing_has_the_attributes_of_all_entries(slow: Path, tmp_path: Path) -> None:
    for number in range(200):
        (tmp_path / "files" / f"{number}").touch()
    found: list[int] = []
    with os.scandir(slow) as entries:
        took = seconds(lambda: found.extend(entry.stat(follow_symlinks=False).st_ino for entry in entries))
    assert len(set(found)) == 200
    assert SLOW.read <= took < 20 * SLOW.read


def test_processes_wait_at_the_same_time(slow: Path, tmp_path: Path) -> None:
    names = "abcdefgh"
    for name in names:
        (tmp_path / "files" / name).mkdir()
    # Each in a separate directory: as in NFS, changes of one directory are made one after the other.
    with ThreadPoolExecutor(len(names)) as threads:
        took = seconds(lambda: list(threads.map(lambda name: (slow / name / "made").mkdir(), names)))
    assert SLOW.read + SLOW.write <= took < len(names) / 2 * (SLOW.read + SLOW.write)


def test_it_ends_after_a_failure_and_after_its_process_was_killed(tmp_path: Path) -> None:
    files, place = tmp_path / "files", tmp_path / "place"
    with pytest.raises(ZeroDivisionError), efs_latency.mounted(files, place), (place / "open").open("w"):
        raise ZeroDivisionError
    assert gone(place)
    with efs_latency.mounted(files, place):
        server = next(
            int(pid)
            for pid in os.listdir("/proc")  # noqa: PTH208
            if pid.isdecimal() and str(place).encode() in Path(f"/proc/{pid}/cmdline").read_bytes()
        )
        os.kill(server, signal.SIGKILL)
    assert gone(place)


def test_it_ends_with_the_process_that_has_mounted_it(tmp_path: Path) -> None:
    files, place = tmp_path / "files", tmp_path / "place"
    command = [sys.executable, "-c", AS_PARENT, str(files), str(place)]
    with subprocess.Popen(command, cwd=CHECKOUT, stdout=subprocess.PIPE) as parent:
        assert parent.stdout
        assert parent.stdout.readline() == b"mounted\n"
        parent.kill()
    deadline = time.monotonic() + 20
    while not gone(place) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert gone(place)


def test_a_machine_without_libfuse_names_what_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mount, "find_library", lambda _name: None)
    assert "apt-get install fuse3" in mount.why_not.__wrapped__()
