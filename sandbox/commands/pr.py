"""`make pr`: open a pull request at the stand-in of GitHub, or continue with one: push, approve, comment, merge, close."""

import argparse
import sys
import time
from pathlib import Path

from sandbox.pull_requests import PullRequests, has_failed
from sandbox.sandbox import Sandbox
from sandbox.testbed import console
from sandbox.testbed.errors import SandboxError
from sandbox.testbed.github.store import PullRequest

_README = "A repository of the sandbox, for `make pr`.\n"
_LARGEST_FILE = 1_000_000
_COMMENT_SECONDS = 600.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``pr``."""
    parser.add_argument(
        "--from",
        dest="source",
        type=Path,
        help="git repository or folder: opens one, or pushes to --number",
    )
    parser.add_argument("--branch", default="HEAD", help="the branch to push from a git repository (default: HEAD)")
    parser.add_argument(
        "--base", default="", help="the branch to merge into (default: the repository's main or master)"
    )
    parser.add_argument("--number", type=int, help="continue with this pull request")
    parser.add_argument("--approve", action="store_true", help="approve it")
    parser.add_argument("--comment", default="", help="comment on it, such as `atlantis apply`, and show the answer")
    end = parser.add_mutually_exclusive_group()
    end.add_argument("--merge", action="store_true", help="merge it at the end")
    end.add_argument("--close", action="store_true", help="close it at the end, without merging")


def run(arguments: argparse.Namespace) -> int:
    """Do what the arguments ask for, in the order open or push, approve, comment, merge or close.

    Exit code 1 if Atlantis reports an error.
    """
    if arguments.source is None and arguments.number is None:
        raise SandboxError("Set FROM=folder, which opens a pull request, or NUMBER=n, which continues with one")
    if arguments.source is not None and not arguments.source.is_dir():
        raise SandboxError(f"FROM={arguments.source} is not a folder; name a git repository or a folder with files")
    requests, shown = PullRequests.of(Sandbox(arguments.stack)), list[str]()
    repository = requests.repository()
    if arguments.number is not None:
        pull = requests.find(repository, arguments.number)
        if pull.state != "open":
            raise SandboxError(f"{repository}#{pull.number} is closed; open another one with FROM=folder")
        if arguments.source is not None:
            _push(requests, pull, arguments)
            console.step(f"Pushed to {pull.branch} of {repository}#{pull.number}; waiting for Atlantis' comment")
            shown += _show(requests.planned(pull, seconds=_COMMENT_SECONDS, action="synchronize"))
    else:
        pull = _open(requests, repository, arguments)
        console.step(
            f"Opened {repository}#{pull.number} from {pull.branch} to {pull.base}; waiting for Atlantis' comment"
        )
        shown += _show(requests.planned(pull, seconds=_COMMENT_SECONDS))
        console.note(f"make pr NUMBER={pull.number} APPROVE=1 COMMENT='atlantis apply'")
        console.note(
            f"make pr NUMBER={pull.number} FROM={arguments.source}   pushes changes. From a git repository also:"
        )
        configuration = requests.store.author_configuration
        url = f"https://github.com/{repository}.git"
        console.note(f"env -u GIT_SSL_CAINFO git -c include.path={configuration} push {url} HEAD:{pull.branch}")
    if arguments.approve:
        pull = requests.store.approve(pull, "sandbox-reviewer")
        console.step("Approved it as sandbox-reviewer")
    if arguments.comment:
        shown += _show(requests.comment(pull, arguments.comment, seconds=_COMMENT_SECONDS))
    if arguments.merge or arguments.close:
        pull = requests.merge(pull) if arguments.merge else requests.close(pull)
        console.step(f"{'Merged' if pull.merged else 'Closed'} {repository}#{pull.number}")
    return 1 if has_failed(shown) else 0


def _open(requests: PullRequests, repository: str, arguments: argparse.Namespace) -> PullRequest:
    source: Path = arguments.source.resolve()
    if (source / ".git").exists():
        title = f"Changes of {source.name}"
        return requests.open_branch(
            repository, source, arguments.branch, arguments.base or requests.store.main_branch(source), title
        )
    if not requests.store.has_repository(repository):
        requests.store.create_repository(repository, {"README.md": _README})
    return requests.open(repository, f"files-{int(time.time())}", _files(source), f"Add {source.name}")


def _push(requests: PullRequests, pull: PullRequest, arguments: argparse.Namespace) -> None:
    source: Path = arguments.source.resolve()
    before = requests.store.head(pull.repository, pull.branch)
    if (source / ".git").exists():
        after = requests.store.push(pull.repository, source, arguments.branch, pull.branch)
    else:
        after = requests.store.commit(pull.repository, pull.branch, _files(source), f"Update {source.name}")
    if after == before:
        raise SandboxError(
            f"{pull.branch} of {pull.repository}#{pull.number} has the commit {after[:12]} already; commit a change"
        )


def _files(folder: Path) -> dict[str, str]:
    """The text files of a folder, without Terraform's working files."""
    found: dict[str, str] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if not path.is_file() or ".terraform" in name.parts or path.suffix == ".tfstate":
            continue
        if path.stat().st_size > _LARGEST_FILE:
            raise SandboxError(
                f"{path} has more than {_LARGEST_FILE} bytes; commit it to a git repository, and push that"
            )
        try:
            found[str(name)] = path.read_text(encoding="utf-8")
        except UnicodeDecodeError as error:
            raise SandboxError(f"{path} isn't UTF-8 text; commit it to a git repository, and push that") from error
    if not found:
        raise SandboxError(f"FROM={folder} has no files; name a folder with Terraform")
    return found


def _show(comments: list[str]) -> list[str]:
    sys.stdout.write("\n" + "\n\n".join(comments).strip() + "\n\n")
    return comments
