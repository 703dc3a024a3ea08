"""What the server does with a checkout: git's configuration, and the check of committed files, run by the shells of both images."""

import os
import subprocess
from pathlib import Path

import pytest

from components.configuration import checkout
from components.configuration.repo_configuration import default
from tests.tables import table

_IDENTITY = ["-c", "user.name=test", "-c", "user.email=test@example.com"]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A checkout with a directory `shared`, which links can lead to."""
    made = tmp_path / "checkout"
    (made / "shared").mkdir(parents=True)
    (made / "shared" / "main.tf").write_text("# shared\n", encoding="utf-8")
    subprocess.run(["git", "init", "--quiet", str(made)], check=True)
    return made


def commit(repository: Path, links: dict[str, str]) -> None:
    for name, to in links.items():
        (repository / name).parent.mkdir(parents=True, exist_ok=True)
        (repository / name).symlink_to(to)
    subprocess.run(["git", *_IDENTITY, "add", "--all"], cwd=repository, check=True)
    subprocess.run(["git", *_IDENTITY, "commit", "--quiet", "--message", "links"], cwd=repository, check=True)


def check(repository: Path, shell: list[str]) -> "subprocess.CompletedProcess[str]":
    """Run the hook as Atlantis does: a shell, with the server's environment, in the checkout."""
    (hook,) = checkout.with_commit_check(default("main", []))["repos"][0]["pre_workflow_hooks"]
    return subprocess.run(
        [*shell, "-c", hook["run"]],
        cwd=repository,
        env=dict(os.environ) | checkout.environment(),
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize(
    ("name", "to"),
    [
        ("prod/main.tf", "../shared/main.tf"),
        ("prod", "shared"),
        ("name with space.tf", "shared/main.tf"),
        ("prod/é.tf", "../shared/main.tf"),
        ("-n", "shared/main.tf"),
        ("self", "."),
        ("not-there-yet.tf", "shared/generated.tf"),
    ],
)
def test_a_link_to_something_of_the_same_repository_is_accepted(
    repository: Path, shell: list[str], name: str, to: str
) -> None:
    commit(repository, {name: to})
    done = check(repository, shell)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    ("links", "shown"),
    table(__file__, "links"),
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_link_that_leads_out_or_that_is_written_to_ends_the_command_with_its_name(
    repository: Path, shell: list[str], links: dict[str, str], shown: str
) -> None:
    (repository.parent / "checkout-2").mkdir()
    commit(repository, links)
    done = check(repository, shell)
    assert done.returncode == 1
    assert shown in done.stdout
    assert "Commit the file in its place" in done.stdout


def content(parts: list[str | tuple[str, int]]) -> str:
    """The content of a file, from texts and from texts that are repeated."""
    return "".join(part if isinstance(part, str) else part[0] * part[1] for part in parts)


ACCEPTED = [(name, content(parts)) for name, parts in table(__file__, "accepted")]
REFUSED = [(name, content(parts), shown) for name, parts, shown in table(__file__, "refused")]


def test_files_that_the_server_can_read_are_accepted(repository: Path, shell: list[str]) -> None:
    for name, text in ACCEPTED:
        (repository / name).write_text(text, encoding="utf-8")
    commit(repository, {})
    done = check(repository, shell)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_each_file_that_could_end_the_server_is_named_with_the_reason(repository: Path, shell: list[str]) -> None:
    for name, text, _ in REFUSED:
        (repository / name).parent.mkdir(exist_ok=True)
        (repository / name).write_text(text, encoding="utf-8")
    commit(repository, {})
    done = check(repository, shell)
    assert done.returncode == 1
    assert [shown for _, _, shown in REFUSED if shown not in done.stdout] == []
    assert "Split a large file" in done.stdout


def test_a_link_to_a_large_file_of_another_name_is_read_through(repository: Path, shell: list[str]) -> None:
    (repository / "main.txt").write_text("x = " + "(\n" * 20_000, encoding="utf-8")
    commit(repository, {"a.tf": "main.txt"})
    assert "a.tf:501: brackets nested" in check(repository, shell).stdout


def test_links_that_are_not_committed_are_terraform_s_own(repository: Path, shell: list[str]) -> None:
    commit(repository, {})
    (repository / ".terraform").symlink_to("/srv")
    assert check(repository, shell).returncode == 0


def test_a_check_that_can_t_read_the_commit_fails(tmp_path: Path, shell: list[str]) -> None:
    (tmp_path / "no-checkout").mkdir()
    done = check(tmp_path / "no-checkout", shell)
    assert done.returncode != 0
    assert "not a git repository" in done.stderr


def test_the_check_comes_first_and_an_operator_s_rules_and_hooks_stay() -> None:
    own = {"repos": [{"id": "/.*/", "pre_workflow_hooks": [{"run": "make"}]}], "workflows": {"one": {}}}
    first, *others = checkout.with_commit_check(own)["repos"]
    assert first.keys() == {"id", "pre_workflow_hooks"}
    assert first["id"] == "/.*/"
    assert others == own["repos"]
    assert checkout.with_commit_check(own)["workflows"] == own["workflows"]
    assert checkout.with_commit_check({})["repos"] == [first]


def _bare_repository(inside: Path, mark: Path) -> None:
    subprocess.run(["git", "init", "--quiet", "--bare", str(inside)], check=True)
    for key, value in {"core.bare": "false", "core.worktree": ".", "core.fsmonitor": f"touch {mark}; false"}.items():
        subprocess.run(["git", "config", "--file", str(inside / "config"), key, value], check=True)


@pytest.mark.parametrize("protected", [False, True])
def test_git_runs_no_command_of_a_bare_repository_in_the_checkout(
    repository: Path, tmp_path: Path, protected: bool
) -> None:
    mark = tmp_path / "ran"
    _bare_repository(repository / "h", mark)
    variables = checkout.environment() if protected else {}
    subprocess.run(["git", "ls-files", "main.tf"], cwd=repository / "h", env=dict(os.environ) | variables, check=False)
    assert mark.exists() is not protected


@pytest.mark.parametrize("protected", [False, True])
def test_git_runs_no_hook_and_no_monitor_that_a_plan_wrote_into_the_checkout(
    repository: Path, tmp_path: Path, protected: bool
) -> None:
    hook = repository / ".git" / "hooks" / "post-checkout"
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/hook\n", encoding="utf-8")
    hook.chmod(0o755)
    subprocess.run(["git", "config", "core.fsmonitor", f"touch {tmp_path}/monitor; false"], cwd=repository, check=True)
    commit(repository, {})
    (tmp_path / "hook").unlink(missing_ok=True)
    (tmp_path / "monitor").unlink(missing_ok=True)
    variables = checkout.environment() if protected else {}
    for command in (["status"], ["checkout", "--quiet", "-b", "other"]):
        subprocess.run(["git", *command], cwd=repository, env=dict(os.environ) | variables, check=True)
    assert {name: (tmp_path / name).exists() for name in ("hook", "monitor")} == dict.fromkeys(
        ("hook", "monitor"), not protected
    )


@pytest.mark.parametrize("protected", [False, True])
def test_git_clones_no_local_repository(repository: Path, tmp_path: Path, protected: bool) -> None:
    commit(repository, {})
    variables = checkout.environment() if protected else {}
    done = subprocess.run(
        ["git", "clone", "--quiet", f"file://{repository}", str(tmp_path / "clone")],
        env=dict(os.environ) | variables,
        check=False,
        capture_output=True,
        text=True,
    )
    assert (done.returncode != 0) is protected, done.stderr
