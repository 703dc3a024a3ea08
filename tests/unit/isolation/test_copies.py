"""An executor's copy of a checkout: what is sent, what is kept, what comes back, and what a command can't do to it."""

import time
from pathlib import Path

from tests.unit.isolation.containers import CHECKOUT, Containers, eventually

ROLES = ("plan",)


def copy(containers: Containers, role: str = "plan") -> Path:
    return containers.work(role) / CHECKOUT


def test_the_copy_follows_the_checkout_and_keeps_what_terraform_has_made(containers: Containers) -> None:
    containers.write("main.tf", "one")
    containers.write("old/gone.tf", "old")
    containers.write(".git/config", "token")
    (containers.checkout / "link").symlink_to("main.tf")
    containers.program(
        "terraform", "mkdir -p .terraform/providers; echo kept >.terraform/providers/p; echo made >made.tf"
    )
    containers.run("terraform", "fmt")
    assert not (copy(containers) / ".git").exists()
    assert (copy(containers) / "link").readlink() == Path("main.tf")
    containers.write("main.tf", "two\n")
    (containers.checkout / "old" / "gone.tf").unlink()
    (containers.checkout / "old").rmdir()
    containers.program("terraform", "cat main.tf; ls -A . .terraform/providers")
    assert containers.run("terraform", "fmt").stdout.split() == [
        "two",
        ".:",
        ".terraform",
        "link",
        "main.tf",
        ".terraform/providers:",
        "p",
    ]


def test_links_that_a_job_leaves_lead_nothing_astray(containers: Containers) -> None:
    target = containers.root / "target"
    target.mkdir()
    (target / "file").write_text("untouched")
    containers.write("dir/main.tf", "mine")
    containers.program("terraform", f"rm -rf dir; ln -s {target} dir; ln -s {target}/file main.tf")
    containers.run("terraform", "fmt")
    containers.write("main.tf", "root's")
    containers.program("terraform", "cat dir/main.tf main.tf")
    assert containers.run("terraform", "fmt").stdout == "mineroot's"
    assert [path.name for path in target.iterdir()] == ["file"]
    assert (target / "file").read_text() == "untouched"


def test_only_regular_files_come_back(containers: Containers) -> None:
    containers.write("dir/x", "")
    for path, made in (
        ("out.txt", "ln -s /etc/passwd out.txt"),
        ("out.txt", "mkfifo out.txt"),
        ("out.txt", "mkdir out.txt"),
        ("out.txt", "truncate -s 300M out.txt"),
        ("dir/out.txt", "ln -s . inner && rm -rf dir && ln -s . dir && echo x >out.txt && mv out.txt inner/"),
    ):
        containers.program("tool", made)
        done = containers.run("run-in-plan", "--return", path, "--", "tool")
        assert (done.returncode, f"{path} doesn't come back" in done.stderr) == (1, True), made
        assert not (containers.checkout / path).exists(), made


def test_a_named_file_comes_back_and_replaces_a_committed_link_instead_of_following_it(containers: Containers) -> None:
    target = containers.root / "of-the-server"
    target.write_text("untouched")
    (containers.checkout / "out.txt").symlink_to(target)
    containers.program("tool", "rm -f out.txt; echo made >out.txt; echo not named >other.txt")
    done = containers.run("run-in-plan", "--return", "out.txt", "--return", "not-made.txt", "--", "tool")
    assert done.returncode == 0, done.stderr
    assert (containers.checkout / "out.txt").read_text() == "made\n"
    assert not (containers.checkout / "out.txt").is_symlink()
    assert not (containers.checkout / "other.txt").exists()
    assert target.read_text() == "untouched"


def test_a_directory_that_is_a_link_is_not_written_through(containers: Containers) -> None:
    outside = containers.root / "outside"
    outside.mkdir()
    outside.chmod(0o777)
    (containers.checkout / "dir").symlink_to(outside)
    containers.program("tool", "rm dir; mkdir dir; echo made >dir/out.txt")
    done = containers.run("run-in-plan", "--return", "dir/out.txt", "--", "tool")
    assert done.returncode == 1
    assert "dir isn't a directory, or is a link" in done.stderr
    assert list(outside.iterdir()) == []


def _changed(containers: Containers, since: int) -> set[str]:
    """The copies that were written after `since`, in ns since 1970."""
    root = copy(containers)
    return {
        str(path.relative_to(root)) for path in root.rglob("*") if path.is_file() and path.stat().st_ctime_ns > since
    }


def test_a_file_that_is_unchanged_is_not_copied_again_and_a_changed_one_is(containers: Containers) -> None:
    for path in ("main.tf", "data/one.txt", "data/two.txt"):
        containers.write(path, "one\n")
    containers.program("terraform", "cat main.tf data/*.txt")
    containers.run("terraform", "fmt")
    before = time.time_ns()
    (containers.checkout / "main.tf").write_text("2\n")
    (containers.checkout / "data" / "two.txt").write_text("two\n")
    assert containers.run("terraform", "fmt").stdout.split() == ["2", "one", "two"]
    assert _changed(containers, before) == {"main.tf", "data/two.txt"}
    before = time.time_ns()
    (containers.checkout / "main.tf").touch()
    (containers.checkout / "data" / "one.txt").chmod(0o755)
    containers.run("terraform", "fmt")
    assert _changed(containers, before) == {"data/one.txt"}
    assert (copy(containers) / "data" / "one.txt").stat().st_mode & 0o777 == 0o700


_AS_IT_WAS = (
    "import os; was = os.stat('data/one.txt'); {}; os.utime('data/one.txt', ns=(was.st_atime_ns, was.st_mtime_ns))"
)
_MAPPED = "import mmap; f = open('data/one.txt', 'r+b'); m = mmap.mmap(f.fileno(), 0); m[0:3] = b'bad'; m.flush()"


ATTACKS = (
    _AS_IT_WAS.format("open('data/one.txt', 'r+').write('bad')"),
    _AS_IT_WAS.format(_MAPPED),
    "import os; os.rename('data', 'moved'); os.mkdir('data'); open('data/one.txt', 'w').write('bad\\n')",
    "import os; os.rename('data', 'other'); os.symlink('other', 'data'); open('other/one.txt', 'w').write('bad\\n')",
    "import os; os.rename('data/one.txt', 'data/x'); os.rename('data/two.txt', 'data/one.txt')",
    "import os; os.link('data/one.txt', 'data/x'); open('data/x', 'w').write('bad\\n')",
    "import os; os.unlink('data/one.txt'); os.mkdir('data/one.txt')",
    "import os; os.chmod('data/one.txt', 0)",
    "import os; os.chmod('data', 0)",
)


def test_what_a_command_changes_in_the_copy_the_next_one_does_not_see(containers: Containers) -> None:
    containers.write("data/one.txt", "one\n")
    containers.write("data/two.txt", "bad\n")
    for attack in ATTACKS:
        containers.program("terraform", f'/usr/bin/python3 -c "{attack}" && echo done')
        assert containers.run("terraform", "fmt").stdout == "done\n", attack
        containers.program("terraform", "cat data/one.txt data/two.txt; ls . data")
        expected = "one\nbad\n.:\ndata\n\ndata:\none.txt\ntwo.txt\n"
        assert containers.run("terraform", "fmt").stdout == expected, attack


def test_a_file_system_that_hides_changes_through_mappings_keeps_no_copies(containers: Containers) -> None:
    containers.restart("plan", disk="64M")
    containers.write("data/one.txt", "one\n")
    containers.program("terraform", f'/usr/bin/python3 -c "{_AS_IT_WAS.format(_MAPPED)}"; cat data/one.txt')
    assert containers.run("terraform", "fmt").stdout == "bad\n"
    containers.program("terraform", "cat data/one.txt")
    assert containers.run("terraform", "fmt").stdout == "one\n"
    assert list((containers.state("plan") / "locks").glob("*copies.json")) == []


def test_another_command_of_the_checkout_at_the_same_time_gets_its_files_too(
    containers: Containers, mark: Path
) -> None:
    containers.write("main.tf", "one\n")
    containers.program("wait", f"touch {mark}/started; until [ -e {mark}/go ]; do sleep 0.05; done; cat main.tf")
    waiting = containers.popen("run-in-plan", "--", "wait")
    eventually((mark / "started").exists)
    containers.write("main.tf", "two\n")
    containers.program("terraform", "cat main.tf; echo bad >main.tf")
    assert [containers.run("terraform", "fmt").stdout for _ in range(2)] == ["two\n", "two\n"]
    (mark / "go").touch()
    assert waiting.communicate(timeout=120)[0] == b"bad\n"
    assert containers.run("terraform", "fmt").stdout == "two\n"
