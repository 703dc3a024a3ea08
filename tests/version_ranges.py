"""`make version-ranges`: runs the unit tests with the oldest and the newest versions that the installed package accepts.

The ranges are those of pyproject.toml. Each end has a separate environment, with the other packages as requirements-dev.in pins
them. Takes several minutes, so it isn't part of `make test`.
"""

import argparse
import os
import subprocess
import sys
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

CHECKOUT = Path(__file__).resolve().parents[1]
FOLDER = CHECKOUT / ".sandbox" / "version-ranges"
ENDS = {"lowest": "lowest-direct", "highest": "highest"}
"""uv's way to resolve the requirements at each end."""
WITHOUT_COMPONENTS = ("isolation", "test_contributing.py", "test_package.py", "test_needs.py")
"""What doesn't run the components: programs of the image, worked examples, the packaging, the list of skipped tests."""


def _run(end: str, workers: str) -> int:
    """The exit code of pytest at this end of the ranges."""
    uv, environment = str(Path(sys.executable).with_name("uv")), FOLDER / end
    FOLDER.mkdir(parents=True, exist_ok=True)
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    ranges, versions = FOLDER / f"{end}.in", FOLDER / f"{end}.txt"
    ranges.write_text("\n".join(project["dependencies"]), encoding="utf-8")
    resolution = ("--resolution", ENDS[end], "--no-header", "--no-annotate", "--upgrade")
    python = str(environment / "bin" / "python")
    for command in (
        ["pip", "compile", "--quiet", *resolution, str(ranges), "--output-file", str(versions)],
        ["venv", "--quiet", "--clear", "--python", sys.executable, str(environment)],
        # What the ranges resolve to takes the place of the pins.
        ["pip", "install", "--quiet", "--python", python, "--override", str(versions), "-r", "requirements-dev.in"],
    ):
        subprocess.run([uv, *command], cwd=CHECKOUT, check=True)
    direct = {canonicalize_name(Requirement(line).name) for line in project["dependencies"]}
    pins = [line for line in versions.read_text(encoding="utf-8").splitlines() if line.partition("==")[0] in direct]
    sys.stdout.write(f"==> {end}: {', '.join(pins)}\n")
    sys.stdout.flush()
    ignored = [f"--ignore=tests/unit/{name}" for name in WITHOUT_COMPONENTS]
    tests = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--numprocesses", workers, *ignored, "tests/unit"]
    # Both workers must collect the same tests; some are from sets.
    fixed = {**os.environ, "PYTHONHASHSEED": "0"}
    return subprocess.run([python, *tests], cwd=CHECKOUT, env=fixed, check=False).returncode


def main() -> int:
    """Test the chosen ends; returns 1 if a test failed."""
    parser = argparse.ArgumentParser(prog="tests.version_ranges", description=__doc__)
    parser.add_argument("--end", choices=ENDS, action="append", help="both by default")
    parser.add_argument("--workers", default="2")
    arguments = parser.parse_args()
    codes = [_run(end, arguments.workers) for end in arguments.end or ENDS]
    return 1 if any(codes) else 0


if __name__ == "__main__":
    sys.exit(main())
