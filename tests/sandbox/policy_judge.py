"""What the tests of the policy pack on the engine share: reading its findings, and changing program or pack."""

import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.sandbox import Sandbox
from sandbox.testbed.engine.stack import EngineError
from sandbox.testbed.paths import CHECKOUT

PACK = CHECKOUT / "policy"

_HEADLINE = re.compile(r"- \[(mandatory|advisory)\] \[severity: \w+\]  ([a-z-]+)  \(([^:]+:[^:]+:[^:]+): (.+)\)")
_CHECK = re.compile(r"^\S.* \(([a-z-]+)\): ")


@dataclass(frozen=True)
class Shown:
    """One finding as the engine shows it."""

    level: str
    policy: str
    resource: str
    message: str

    @property
    def check(self) -> str:
        """The name of the check, where there is one."""
        found = _CHECK.match(self.message)
        return found[1] if found else ""


def shown(output: str) -> Iterator[Shown]:
    """The findings in the engine's output: a headline, the policy's description, the message."""
    lines = output.splitlines()
    for index, line in enumerate(lines):
        headline = _HEADLINE.search(line)
        if headline:
            yield Shown(headline[1], headline[2], headline[4], lines[index + 2].strip())


def mandatory(findings: list[Shown]) -> set[tuple[str, str, str]]:
    """Policy, check and resource of each finding that stops a deployment."""
    return {(each.policy, each.check, each.resource) for each in findings if each.level == "mandatory"}


class Judge:
    """Previews with the pack; each with the findings that the engine shows."""

    def __init__(self, capfd: pytest.CaptureFixture[str]) -> None:
        self._capfd = capfd

    def passes(self, sandbox: Sandbox) -> tuple[str, list[Shown]]:
        """A preview that the pack lets pass."""
        self._capfd.readouterr()
        sandbox.preview()
        output = self._capfd.readouterr().out
        assert "atlantis-guard@v1.0.0" in output
        return output, list(shown(output))

    def stops(self, sandbox: Sandbox) -> tuple[str, list[Shown]]:
        """A preview that ends with an error."""
        self._capfd.readouterr()
        with pytest.raises(EngineError):
            sandbox.preview()
        output = self._capfd.readouterr().out
        return output, list(shown(output))


def configured_pack(directory: Path, changes: dict[str, Any]) -> Path:
    """A copy of the pack whose configuration for production has these changes."""
    copy = directory / "pack"
    shutil.copytree(PACK, copy, ignore=shutil.ignore_patterns("__pycache__", ".venv"))
    manifest = yaml.safe_load((copy / "PulumiPolicy.yaml").read_text(encoding="utf-8"))
    manifest["runtime"]["options"]["virtualenv"] = str(CHECKOUT / ".venv")
    (copy / "PulumiPolicy.yaml").write_text(yaml.safe_dump(manifest), encoding="utf-8")
    file = copy / "config" / "prod.json"
    file.write_text(json.dumps({**json.loads(file.read_text(encoding="utf-8")), **changes}), encoding="utf-8")
    return copy
