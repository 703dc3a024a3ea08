"""CONTRIBUTING.md: every change that it shows applies, and the command below it succeeds; the house's other files are complete."""

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.checkout import copy_checkout

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(
    r"^### ([^\n]+)\n(?:(?!^###).)*?```diff\n(.*?)```\n\n```\n(.*?)```", GUIDE, re.MULTILINE | re.DOTALL
)


def test_the_guide_has_a_worked_example_of_each_kind_of_change() -> None:
    assert len(EXAMPLES) == 4


@pytest.mark.parametrize(("subject", "change", "command"), EXAMPLES, ids=[subject for subject, _, _ in EXAMPLES])
def test_a_worked_example_applies_and_its_command_succeeds(
    tmp_path: Path, subject: str, change: str, command: str
) -> None:
    copy_checkout(tmp_path)
    assert subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, check=False).returncode != 0, (
        subject
    )

    applied = subprocess.run(
        ["git", "apply", "--unidiff-zero", "-"], cwd=tmp_path, input=change, capture_output=True, text=True, check=False
    )
    assert applied.returncode == 0, applied.stderr
    ran = subprocess.run(["sh", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def test_the_lock_file_of_an_ecosystem_is_in_a_folder_that_dependabot_reads() -> None:
    updates = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text(encoding="utf-8"))["updates"]
    read = {
        (update["package-ecosystem"], folder.strip("/"))
        for update in updates
        for folder in update.get("directories", [update.get("directory")])
    }
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split()
    kinds = {"go.mod": "gomod", "package-lock.json": "npm"}
    found = {(kinds[Path(file).name], str(Path(file).parent)) for file in tracked if Path(file).name in kinds}
    assert found - read == set()


def test_the_one_file_that_imports_the_agpl_package_says_its_license() -> None:
    importing = [
        file
        for file in (ROOT / "sandbox").rglob("*.*")
        if file.suffix in (".mjs", ".js", ".py") and 'installed("@cloud-copilot/' in file.read_text(encoding="utf-8")
    ]
    assert [file.name for file in importing] == ["evaluator.mjs"]
    assert importing[0].read_text(encoding="utf-8").startswith("// SPDX-License-Identifier: AGPL-3.0-or-later\n")
    assert "GNU AFFERO GENERAL PUBLIC LICENSE" in (importing[0].parent / "LICENSE").read_text(encoding="utf-8")


def test_every_pinned_package_of_a_requirements_file_is_named_with_its_license() -> None:
    named = (ROOT / "THIRD_PARTY.md").read_text(encoding="utf-8")
    files = ["requirements.in", "policy/requirements.in", "requirements-dev.in", "requirements-go.in"]
    packages = [
        name for file in files for name in re.findall(r"^([\w.-]+)==", (ROOT / file).read_text("utf-8"), re.MULTILINE)
    ]
    assert [name for name in packages if name not in named] == []
