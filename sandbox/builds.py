"""Builds the programs of a checkout at the same time: ``python -m sandbox.builds PROGRAM ...``.

Needs only the standard library, because ``make up`` builds on a new checkout while it installs the Python packages.
"""

import argparse
import sys
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sandbox.atlantis import build as atlantis
from sandbox.gitea import build as gitea
from sandbox.testbed.engine import installation
from sandbox.testbed.errors import SandboxError
from sandbox.testbed.go_build import build_once
from sandbox.testbed.paths import CHECKOUT

_ACTIONLINT = CHECKOUT / ".sandbox" / "tools" / "actionlint"
CONFTEST = _ACTIONLINT.with_name("conftest")
_GO = (1, 26)


def _actionlint() -> Path:
    """The linter of the workflows, which only ``make lint`` needs. Make builds it again if its go.mod has changed."""
    package, module = "github.com/rhysd/actionlint/cmd/actionlint", CHECKOUT / ".github" / "actionlint"
    build_once("actionlint", _ACTIONLINT, _GO, lambda build: build.compile(package, module))
    return _ACTIONLINT


def _conftest() -> Path:
    """The program of policy checks, which Atlantis' own test cases need."""
    module = "github.com/open-policy-agent/conftest"
    build_once(
        "conftest", CONFTEST, _GO, lambda build: build.compile_module(module, CHECKOUT / "sandbox" / "conformance")
    )
    return CONFTEST


PROGRAMS: dict[str, Callable[[], object]] = {
    "engine": installation.build,
    "atlantis": atlantis.executable,
    "yaml": lambda: installation.language_host("yaml"),
    "typescript": installation.typescript_sdk,
    "actionlint": _actionlint,
    "conftest": _conftest,
    "gitea": gitea.executable,
}
"""What can be built, in the order in which it is needed. A program that exists isn't built again."""


def build(names: Iterable[str] = ("engine", "atlantis")) -> None:
    """Build the programs ``names``; raises the first program's ``SandboxError`` if builds failed."""
    chosen = set(names)
    with ThreadPoolExecutor(len(PROGRAMS)) as threads:
        running = [threads.submit(make) for name, make in PROGRAMS.items() if name in chosen]
    for build in running:
        build.result()


def main() -> int:
    """Build the programs of the command line."""
    parser = argparse.ArgumentParser(prog="sandbox.builds", description=__doc__)
    parser.add_argument("programs", nargs="+", metavar="PROGRAM", choices=PROGRAMS, help=", ".join(PROGRAMS))
    try:
        build(parser.parse_args().programs)
    except SandboxError as error:
        sys.stderr.write(f"error: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
