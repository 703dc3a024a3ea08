"""Pull requests that a person drives: pushes, merges, and what `make pr` refuses before anything is opened."""

import argparse
import subprocess
from pathlib import Path

import pytest

from sandbox.commands import pr
from sandbox.pull_requests import is_busy
from sandbox.testbed.errors import SandboxError
from sandbox.testbed.github.events import pull_request_object
from sandbox.testbed.github.store import Store

REPOSITORY = "example-organisation/service"


def git(directory: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=Somebody", "-c", "user.email=somebody@example.invalid")
    done = subprocess.run(["git", *identity, *arguments], cwd=directory, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A repository with a branch that changes a file."""
    folder = tmp_path / "service"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=master")
    (folder / "main.tf").write_text("# first\n", encoding="utf-8")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "First")
    git(folder, "checkout", "--quiet", "-b", "feature")
    (folder / "main.tf").write_text("# second\n", encoding="utf-8")
    git(folder, "commit", "--quiet", "-am", "Second")
    return folder


@pytest.fixture
def github(tmp_path: Path) -> Store:
    return Store(tmp_path / "github")


def test_a_pushed_branch_becomes_a_pull_request_and_is_merged(source: Path, github: Store):
    github.push(REPOSITORY, source, "master", "main")
    github.push(REPOSITORY, source, "feature", "feature")
    pull = github.open_pull_request_of_branch(REPOSITORY, "feature", "Change it")
    assert (pull.number, pull.base) == (1, "main")
    assert github.changed_files(pull) == [{"filename": "main.tf", "status": "modified"}]

    merged = github.merge(pull)

    assert github.content(REPOSITORY, "main.tf", "main") == b"# second\n"
    assert pull_request_object(github, merged)["merged"]
    assert (merged.state, github.pull_request(REPOSITORY, 1)) == ("closed", merged)


def test_a_second_push_moves_the_pull_request(source: Path, github: Store):
    github.push(REPOSITORY, source, "master", "main")
    github.push(REPOSITORY, source, "feature", "feature")
    pull = github.open_pull_request_of_branch(REPOSITORY, "feature", "Change it")
    git(source, "commit", "--quiet", "--amend", "-m", "Amended")
    head = github.push(REPOSITORY, source, "HEAD", "feature")
    assert git(github.git_directory(REPOSITORY), "rev-parse", f"refs/pull/{pull.number}/head") == head


def test_a_conflict_is_not_merged(source: Path, github: Store):
    github.push(REPOSITORY, source, "master", "main")
    github.push(REPOSITORY, source, "feature", "feature")
    pull = github.open_pull_request_of_branch(REPOSITORY, "feature", "Change it")
    before = github.commit(REPOSITORY, "main", {"main.tf": "# third\n"}, "Third")
    with pytest.raises(SandboxError, match=r"#1 conflicts with main"):
        github.merge(pull)
    assert github.head(REPOSITORY, "main") == before


def test_the_branch_to_merge_into_is_found_or_asked_for(source: Path, github: Store):
    assert github.main_branch(source) == "master"
    git(source, "branch", "--move", "master", "trunk")
    with pytest.raises(SandboxError, match="no branch main or master; set BASE"):
        github.main_branch(source)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "Set FROM=folder, which opens a pull request, or NUMBER=n"),
        (["--from", "/no/such/folder"], "FROM=/no/such/folder is not a folder"),
    ],
)
def test_arguments_that_say_nothing_are_refused(arguments: list[str], message: str):
    parser = argparse.ArgumentParser()
    parser.add_argument("--stack", default="local")
    pr.add_arguments(parser)
    with pytest.raises(SandboxError, match=message):
        pr.run(parser.parse_args(arguments))


@pytest.mark.parametrize(
    ("comment", "busy"),
    [
        # working_dir_locker.go and project_locker.go of Atlantis v0.47.1
        ('cannot run "apply": pull request 7 is currently locked by "plan".', True),
        (
            'cannot run "plan": the default workspace at path . is currently locked for this pull request by "plan".',
            True,
        ),
        ("This project is currently locked by an unapplied plan from pull #3. To continue, delete the lock", False),
    ],
)
def test_a_command_is_repeated_only_while_another_one_of_the_pull_request_runs(comment: str, busy: bool):
    assert is_busy(comment) is busy
