"""`make mutants`: changes the code at random places, and reports each change that no fast test notices.

cosmic-ray makes the changes, one at a time, in a clone of the last commit, and runs the suite of the area. A seed makes a sample
repeatable. Some changes can't be noticed, such as another text of a message: read the list, and add a test where one is missing.
"""

import argparse
import random
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import TestOutcome

CHECKOUT = Path(__file__).resolve().parents[1]
FOLDER = CHECKOUT / ".sandbox" / "mutants"
SECONDS = 600.0
AREAS = {"components": "tests/unit", "policy": "tests/policy"}
"""The suite by the folder whose code it tests without an engine."""


@dataclass(frozen=True)
class Area:
    """A session of cosmic-ray: the changes of one folder, and the suite that must notice them."""

    folder: str
    clone: Path

    @property
    def database(self) -> Path:
        """The session's work items and results."""
        return FOLDER / f"{self.folder}.sqlite"

    def prepare(self, number: int, seed: int) -> None:
        """Find all possible changes, and keep a sample of ``number``."""
        # The worked examples of CONTRIBUTING.md run separate suites, and notice no change that the others don't.
        tests = f"{AREAS[self.folder]} --ignore=tests/unit/test_contributing.py"
        command = (
            f"{sys.executable} -m pytest -q -x --numprocesses auto -p no:cacheprovider --hypothesis-seed={seed} {tests}"
        )
        self._configuration.write_text(
            f'[cosmic-ray]\nmodule-path = "{self.folder}"\ntimeout = {SECONDS}\nexcluded-modules = []\n'
            f'test-command = "{command}"\n[cosmic-ray.distributor]\nname = "local"\n',
            encoding="utf-8",
        )
        self.baseline()
        self._run("init", str(self.database))
        with use_db(str(self.database), WorkDB.Mode.open) as work:
            found = sorted(work.work_items, key=_place)  # the order of the database is that of random IDs
            chosen = random.Random(seed).sample(found, min(number, len(found)))  # noqa: S311 - a sample, not a secret
            work.clear()
            work.add_work_items(chosen)

    def execute(self) -> None:
        """Run the suite for each change of the sample."""
        self._run("exec", str(self.database))

    def baseline(self) -> None:
        """Run the suite without a change; raises ``SystemExit`` if it fails, because every change would then seem noticed."""
        sys.stderr.write(f"==> Running {AREAS[self.folder]} without a change\n")
        if self._run("baseline", check=False):
            sys.exit(
                f"error: {AREAS[self.folder]} fails on the last commit, or takes longer than {SECONDS:.0f} s on this machine. "
                f"Run `{sys.executable} -m pytest -q -x {AREAS[self.folder]}` and fix what it shows, then run `make mutants` again."
            )

    def survivors(self) -> tuple[int, list[str]]:
        """How many changes were tested, and those that no test noticed, as diffs."""
        with use_db(str(self.database), WorkDB.Mode.open) as work:
            results = [(item, result) for item, result in work.completed_work_items]
        unnoticed = [(item, result) for item, result in results if result.test_outcome == TestOutcome.SURVIVED]
        return len(results), [f"{_place(item)[0]}:{_place(item)[1]}\n{result.diff}" for item, result in unnoticed]

    @property
    def _configuration(self) -> Path:
        return FOLDER / f"{self.folder}.toml"

    def _run(self, verb: str, *arguments: str, check: bool = True) -> int:
        command = [sys.executable, "-m", "cosmic_ray.cli", verb, str(self._configuration), *arguments]
        return subprocess.run(command, cwd=self.clone, check=check).returncode


def _place(item: object) -> tuple[str, int, int, str, int]:
    change = item.mutations[0]  # pyright: ignore[reportAttributeAccessIssue] - attrs classes without types
    return (str(change.module_path), *change.start_pos, change.operator_name, change.occurrence)


def main() -> int:
    """Test a sample of changes; returns 1 if a change was not noticed."""
    parser = argparse.ArgumentParser(prog="mutants", description=__doc__)
    parser.add_argument("--sample", type=int, default=10, help="how many changes to test (default: 10)")
    parser.add_argument("--seed", type=int, default=1, help="chooses the sample (default: 1)")
    parser.add_argument("--area", choices=AREAS, action="append", help="only this folder; repeatable (default: all)")
    given = parser.parse_args()
    shutil.rmtree(FOLDER, ignore_errors=True)
    clone = FOLDER / "clone"
    clone.parent.mkdir(parents=True)
    subprocess.run(["git", "clone", "--quiet", str(CHECKOUT), str(clone)], check=True)
    areas = [Area(folder, clone) for folder in given.area or AREAS]
    tested, unnoticed = 0, []
    for number, area in enumerate(areas):
        area.prepare(len(range(number, given.sample, len(areas))), given.seed)
        sys.stderr.write(f"==> Testing the changes of {area.folder}/\n")
        area.execute()
        count, found = area.survivors()
        tested, unnoticed = tested + count, unnoticed + found
    sys.stdout.write("\n".join([*unnoticed, f"{tested - len(unnoticed)} of {tested} changes were noticed"]) + "\n")
    return 1 if unnoticed else 0


if __name__ == "__main__":
    sys.exit(main())
