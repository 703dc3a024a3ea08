"""The list of skipped tests that `make test` prints at its end."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
TESTS = """
import pytest
from tests.needs import needs

@needs("tofu")
@pytest.mark.parametrize("number", range(3))
def test_planned(number): ...

def test_made_a_mistake():
    pytest.skip("no mood")

def test_ran(): ...
"""


def _python(file: Path, *arguments: str, skipped: Path) -> str:
    own = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environment = {**own, "PATH": "", "ATLANTIS_SKIPPED": str(skipped), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", *arguments]
    ran = subprocess.run(command, cwd=file.parent, env=environment, capture_output=True, text=True, check=True)
    return ran.stdout


def test_a_skipped_test_is_counted_with_what_it_needs_in_every_run_and_once_by_parallel_workers(tmp_path: Path) -> None:
    file, skipped = tmp_path / "test_sample.py", tmp_path / "skipped.txt"
    (tmp_path / "conftest.py").write_text("from tests.needs import pytest_runtest_logreport\n")
    file.write_text(TESTS)
    assert _python(file, "tests.needs", str(skipped), skipped=skipped) == "No test was skipped.\n"
    for workers in ("0", "2"):
        _python(file, "pytest", "-q", "--numprocesses", workers, str(file), skipped=skipped)
    listed = _python(file, "tests.needs", str(skipped), skipped=skipped)
    assert listed == (
        "Skipped 8 tests:\n"
        "     6  no tofu on PATH (`go build` of the Go module github.com/opentofu/opentofu/cmd/tofu)\n"
        "     2  no mood\n"
    )
