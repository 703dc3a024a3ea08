"""What the Makefile does with the environment that it is called in."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_python_caches_its_bytecode_even_where_the_environment_forbids_it() -> None:
    probe = "probe:; @env"
    run = subprocess.run(
        ["make", "--no-print-directory", "--eval", probe, "probe"],
        cwd=ROOT,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "PROBED": "1"},
        capture_output=True,
        text=True,
        check=True,
    )
    names = {line.partition("=")[0] for line in run.stdout.splitlines()}
    assert "PROBED" in names
    assert "PYTHONDONTWRITEBYTECODE" not in names
