"""The repositories that the server serves, as Atlantis reads its flag `repo-allowlist`."""

import re
from collections.abc import Iterator

from .values import HOST, UnacceptableError

_NAME = r"[\w.*-]+(?: [\w.*-]+)*"
WITH_SPACES = frozenset({"azure-devops", "bitbucket-server"})
"""Kinds of host whose projects and repositories can have spaces in their names."""


def repo_allowlist(value: object) -> str:
    """Atlantis' own syntax: `host/owner/repository`, with `*` as the last character, `!` to exclude, separated by commas."""
    if not isinstance(value, str) or not value.strip():
        raise UnacceptableError("must list repositories, such as github.com/my-organization/*")
    entries = [entry.strip() for entry in value.split(",")]
    for entry in entries:
        if "://" in entry:
            raise UnacceptableError(f"must not have a scheme: use {entry.split('://', 1)[1]!r} instead of {entry!r}")
        repository_host, _, path = entry.removeprefix("!").partition("/")
        if not HOST.fullmatch(repository_host) or not re.fullmatch(rf"{_NAME}(/{_NAME})*", path, re.ASCII):
            raise UnacceptableError(
                f"must have entries in the format host/owner/repository, not {entry!r} (* alone would serve every repository)"
            )
        _require_a_last_wildcard(entry, path)
    if all(entry.startswith("!") for entry in entries):
        raise UnacceptableError("must have at least one entry without !, because otherwise no repository is served")
    # Atlantis compares the host as it is written, and webhooks have it in lower case.
    hosts = [entry.partition("/") for entry in entries]
    return ",".join(f"{host.lower()}/{path}" for host, _, path in hosts)


def _require_a_last_wildcard(entry: str, path: str) -> None:
    before, wildcard, after = path.partition("*")
    if after:
        other = f"anyone/x{after.replace('*', '')}"
        effect = "excludes" if entry.startswith("!") else "serves"
        raise UnacceptableError(
            f"must have * only as the last character of an entry: Atlantis compares nothing in front of another *, so {entry!r} "
            f"{effect} {other} too; list the repositories, or end the entry with *"
        )
    if wildcard and "/" not in path and before and not entry.startswith("!"):
        raise UnacceptableError(
            f"must have a whole owner in each entry: {entry!r} serves every owner whose name begins with {before}, and anyone can "
            f"register one; use {entry.removesuffix('*')}/*"
        )


def serves(allowlist: str, repository: str) -> bool:
    """Whether an accepted `allowlist` serves `repository` (`host/owner/name`): an entry matches, and none with `!` does."""
    entries = allowlist.lower().split(",")
    excluded = any(_matches(entry[1:], repository.lower()) for entry in entries if entry.startswith("!"))
    return not excluded and any(_matches(entry, repository.lower()) for entry in entries if not entry.startswith("!"))


def _matches(entry: str, repository: str) -> bool:
    return repository.startswith(entry[:-1]) if entry.endswith("*") else repository == entry


def described(allowlist: str) -> Iterator[str]:
    """What each entry of an accepted `allowlist` matches, for the operator who deploys it."""
    for entry in allowlist.split(","):
        verb = "doesn't serve" if entry.startswith("!") else "serves"
        name = entry.removeprefix("!")
        prefix = name.removesuffix("*")
        if name == prefix:
            yield f"{entry} {verb} this repository"
        elif prefix.endswith("/"):
            yield f"{entry} {verb} every repository of {prefix.removesuffix('/')}"
        else:
            yield f"{entry} {verb} every repository whose name begins with {prefix}"
