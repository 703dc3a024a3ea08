"""A copy of the tracked files, in which a page's commands run as a user runs them, with this checkout's packages and programs."""

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from sandbox.atlantis import build
from sandbox.sandbox import Sandbox
from sandbox.testbed import local_aws
from sandbox.testbed.engine import installation
from sandbox.testbed.engine.workspace import Workspace, clean_environment
from sandbox.testbed.paths import CHECKOUT, STATE_VARIABLE
from tests.checkout import copy_checkout
from tests.sandbox.harness import Scratch

_PULUMI = """#!/bin/sh
case "$1 $*" in
up*--policy-pack*) exec make --old-file=.venv/installed --old-file=python-version up STACK="$3" ;;
up* | destroy*) exec {python} -m tests.sandbox.clone "$1" "$3" ;;
esac
exec {engine} "$@"
"""
"""`up` and `destroy` of a stack in the sandbox; everything else is the engine's command."""


@dataclass(frozen=True)
class Clone:
    """The copy, and the sandbox that its `make up` uses."""

    folder: Path
    environment: dict[str, str]
    scratch: Scratch

    def run(self, script: str) -> "subprocess.CompletedProcess[str]":
        """Run a shell script in the copy."""
        # The link's target is up to date, whatever the copied files' times are.
        script = re.sub(r"^make ", "make --old-file=.venv/installed --old-file=python-version ", script, flags=re.M)
        return subprocess.run(
            ["sh", "-ec", script], cwd=self.folder, env=self.environment, capture_output=True, text=True, check=False
        )

    def follow(self, chapter: str) -> str:
        """Run the code blocks of a chapter of docs/runbooks.md, each as one script; returns what they print."""
        said = ""
        for block in blocks((CHECKOUT / "docs" / "runbooks.md").read_text(encoding="utf-8"), chapter):
            ran = self.run(block)
            assert ran.returncode == 0, f"{block}\n{ran.stdout[-3000:]}{ran.stderr[-3000:]}"
            said += ran.stdout
        return said


def blocks(page: str, chapter: str) -> list[str]:
    """The code blocks of a chapter, without the indentation of a list."""
    text = re.split(rf"^## {re.escape(chapter)}$", page, flags=re.MULTILINE)[1].split("\n## ")[0]
    found = re.findall(r"^( *)```\n(.*?)^ *```$", text, re.MULTILINE | re.DOTALL)
    return [re.sub(f"^{indent}", "", block, flags=re.MULTILINE) for indent, block in found]


def clone(folder: Path, stack: str) -> Clone:
    """Copy the tracked files into an empty folder; `stack` is the one that the engine's settings are prepared for."""
    copy = folder / "clone"
    copy_checkout(copy)
    engine = installation.locate().executable
    own = copy / ".sandbox" / "engine" / engine.parent.name
    own.mkdir(parents=True)
    os.link(engine, own / "pulumi")  # the wrapper of the language host next to it names the checkout
    os.link(build.executable(), own.with_name(build.executable().name))
    (copy / ".sandbox" / "cache").mkdir()
    for cached in (CHECKOUT / ".sandbox" / "cache").glob("iam-evaluation"):
        (copy / ".sandbox" / "cache" / cached.name).symlink_to(cached)
    programs = folder / "programs"
    programs.mkdir()
    (programs / "pulumi").write_text(_PULUMI.format(engine=own / "pulumi", python=sys.executable), encoding="utf-8")
    (programs / "pulumi").chmod(0o755)
    (folder / "backend").mkdir()
    scratch = Scratch(folder / "state", stack)
    workspace = Workspace(folder / "cli", CHECKOUT)
    workspace.prepare("prod", {}, None)
    environment = workspace.environment(None) | {STATE_VARIABLE: str(scratch.base), "BACKEND": str(folder / "backend")}
    environment["PATH"] = os.pathsep.join([str(programs), environment["PATH"]])
    del environment["PULUMI_BACKEND_URL"]
    return Clone(copy, environment, scratch)


def main(verb: str, stack: str) -> None:
    """Deploy without the policy pack, or destroy and keep the local AWS running, as the account stays."""
    sandbox = Sandbox(stack, policy_pack=None)
    if verb == "up":
        sandbox.up()
    else:
        sandbox.down()
        local_aws.start(sandbox.state, clean_environment())


if __name__ == "__main__":
    main(*sys.argv[1:])
