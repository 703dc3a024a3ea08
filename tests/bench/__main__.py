"""`make bench`: how long the commands take and how much memory the program needs, on this machine."""

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import TypeVar

from sandbox.conformance.elsewhere import applied
from sandbox.sandbox import Sandbox
from sandbox.testbed import console, processes, terraform_provider
from sandbox.testbed.paths import CHECKOUT, private_directory
from sandbox.testbed.sampling import kibibytes, sampled
from tests.bench import drift, plans, workers

T = TypeVar("T")
REPEATS = 5
_WIDTH = 82
EMPTY_PROJECT = """\
name: empty
runtime: {{name: python, options: {{virtualenv: {virtualenv}}}}}
"""
PROGRAM_PROCESSES = (b"sandbox.testbed.engine.language_server", b"pulumi-language-python-exec")


@dataclass(frozen=True)
class Figure:
    """One line of the table; ``aim`` is the project's target, if it has one."""

    what: str
    value: str
    aim: str = ""


def main() -> int:
    """Measure in a separate sandbox and print the table."""
    folder = CHECKOUT / ".sandbox" / "bench"
    shutil.rmtree(folder, ignore_errors=True)
    private_directory(folder)
    sys.stdout.write(f"{'what':<{_WIDTH}}  {'measured':>8}  aim\n")
    with (folder / "output.log").open("w") as log:
        measured = (part(folder, log.fileno()) for part in (_measure, _plans, _workers, _drift))
        # Each as soon as it is known: the rest takes minutes, and may be interrupted.
        for figure in chain.from_iterable(measured):
            sys.stdout.write(f"{figure.what:<{_WIDTH}}  {figure.value:>8}  {figure.aim}".rstrip() + "\n")
            sys.stdout.flush()
    shutil.rmtree(folder)
    sys.stdout.write("\nThe policy pack alone, on copies of the production stack:\n")
    sys.stdout.flush()
    subprocess.run([sys.executable, "-m", "tests.policy.bench"], cwd=CHECKOUT, check=True)
    return 0


def _measure(folder: Path, log: int) -> Iterator[Figure]:
    full = Sandbox(state=folder / "full", run_atlantis=False)
    bare = Sandbox(state=folder / "full", run_atlantis=False, policy_pack=None)
    empty = Sandbox(state=folder / "empty", program=_empty_program(folder), run_atlantis=False, policy_pack=None)
    console.step(f"Measuring in {folder}, each preview {REPEATS} times")
    try:
        with _silent(log):
            first, second = _seconds(full.up), _seconds(full.up)
            empty.up()
            with sampled(_memory, seconds=0.05) as memory:
                full.preview()
            preview, without_pack, nothing, refresh = _medians(full.preview, bare.preview, empty.preview, full.refresh)
            ratios = _against_terraform(full, folder / "terraform")
    finally:
        with _silent(log):
            full.down(force=True)
            empty.down(force=True)
    yield from [
        Figure("first up of the local stack", f"{first:.1f} s"),
        Figure("second up, nothing to change", f"{second:.1f} s", "under 10 s"),
        Figure("preview of the local stack, with the policy pack", f"{preview:.2f} s", "at most 3.0 s"),
        Figure("  of this, the policy pack", f"{preview - without_pack:.2f} s", "at most 0.6 s"),
        Figure("preview of an empty Python program", f"{nothing:.2f} s"),
        Figure("refresh", f"{refresh:.2f} s"),
        *ratios,
        Figure("import of pulumi and pulumi_aws as the program uses them", f"{_import_seconds():.2f} s"),
        Figure("memory of the program at its most", f"{max(memory) / 1024:.0f} MB"),
    ]


def _against_terraform(full: Sandbox, folder: Path) -> list[Figure]:
    """Compare with a plan of the same resources by Terraform and the official provider, in pairs."""
    provider = terraform_provider.find()
    if provider is None or shutil.which("terraform") is None:
        console.note("not compared with Terraform: terraform or the official AWS provider isn't on this machine")
        return []
    with applied(full, provider, folder) as (terraform, number):
        rounds = _rounds(terraform.write_plan, full.preview, full.refresh)
    plan, preview, refresh = (
        statistics.median(values)
        for values in zip(*((plan, preview / plan, refresh / plan) for plan, preview, refresh in rounds), strict=True)
    )
    return [
        Figure(f"Terraform's plan of {number} of the stack's resources", f"{plan:.2f} s"),
        Figure("  preview, as a ratio of pairs", f"{preview:.2f}"),
        Figure("  refresh, as a ratio of pairs", f"{refresh:.2f}", "at most 0.5"),
    ]


def _plans(folder: Path, log: int) -> Iterator[Figure]:
    if reason := plans.why_not():
        console.note(f"plans aren't measured: {reason}")
        return
    console.step("Measuring plans, with Terraform in the server's container and in workers")
    for plan in _deployed(plans.measure, folder / "plans", log):
        for isolation, where in (("none", "in the server"), ("tasks", "in a worker")):
            seconds, cpu_seconds = plan.seconds[isolation], plan.cpu_seconds[isolation]
            yield Figure(f"plan of {plan.what}, {where}", f"{seconds:.2f} s", f"CPU {cpu_seconds:.2f} s")


def _workers(folder: Path, log: int) -> Iterator[Figure]:
    if plans.why_not():
        return
    console.step(f"Measuring {workers.PULL_REQUESTS} pull requests at once")
    first: float | None = None
    for run in _deployed(workers.measure, folder / "workers", log):
        first = first or run.seconds
        spread = " + ".join(str(number) for number in sorted(run.by_worker.values()))
        yield Figure(
            f"{workers.PULL_REQUESTS} pull requests at once, {run.workers} workers for plans",
            f"{run.seconds:.0f} s",
            f"{run.seconds / first:.2f} of the first; plans {spread}, lost {len(run.unplanned)}; server's task {run.server_mib:.0f} MB",
        )


def _drift(folder: Path, log: int) -> Iterator[Figure]:
    if plans.why_not():
        return
    console.step(f"Measuring detections of drift in {' and '.join(map(str, drift.PROJECTS))} projects")
    for run in _deployed(drift.measure, folder / "drift", log):
        yield Figure(
            f"detection of drift in {run.projects} projects, requests: {run.requests}",
            f"{run.seconds:.1f} s",
            f"CPU {run.cpu_seconds:.1f} s; memory of the tasks {run.peak_memory:.0f} MB, idle {run.idle_memory:.0f} MB; "
            f"calls: {run.github} GitHub, {run.git} git, {run.aws} AWS",
        )


def _deployed(measure: Callable[[Path], list[T]], state: Path, log: int) -> list[T]:
    """What ``measure`` returns, which deploys a stack into ``state``; the stack is taken down in any case."""
    with _silent(log):
        try:
            return measure(state)
        finally:
            Sandbox(state=state, policy_pack=None).down(force=True)


def _empty_program(folder: Path) -> Path:
    program = folder / "empty-program"
    program.mkdir()
    (program / "Pulumi.yaml").write_text(EMPTY_PROJECT.format(virtualenv=CHECKOUT / ".venv"), encoding="utf-8")
    (program / "Pulumi.local.yaml").write_text("config: {}\n", encoding="utf-8")
    (program / "__main__.py").write_text("import pulumi\n", encoding="utf-8")
    return program


def _seconds(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def _medians(*actions: Callable[[], object]) -> list[float]:
    """Return each action's median duration."""
    return [statistics.median(times) for times in zip(*_rounds(*actions), strict=True)]


def _rounds(*actions: Callable[[], object]) -> list[list[float]]:
    """Return the actions' durations in each round. They alternate, so that a temporary slowdown affects all of them."""
    return [[_seconds(action) for action in actions] for _ in range(REPEATS)]


def _median(action: Callable[[], object]) -> float:
    return statistics.median(_seconds(action) for _ in range(REPEATS))


def _import_seconds() -> float:
    """Return the duration of the imports in a new interpreter, without the interpreter's own startup."""

    def interpreter(source: str) -> Callable[[], object]:
        return lambda: subprocess.run([sys.executable, "-c", source], cwd=CHECKOUT, check=True)

    imports = "import pulumi_aws; from components import atlantis"
    return _median(interpreter(imports)) - _median(interpreter("pass"))


@contextmanager
def _silent(log: int) -> Iterator[None]:
    """Send this process's output and that of its children to ``log``."""
    sys.stdout.flush()
    sys.stderr.flush()
    kept = [os.dup(1), os.dup(2)]
    os.dup2(log, 1)
    os.dup2(log, 2)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for descriptor, original in zip((1, 2), kept, strict=True):
            os.dup2(original, descriptor)
            os.close(original)


def _memory() -> float:
    """The highest peak memory (KiB) of the program's processes so far, which are descendants of this one."""
    return max(map(_peak, processes.descendants(os.getpid())), default=0)


def _peak(pid: int) -> int:
    """Return the peak memory of process ``pid`` in KiB; 0 if it isn't one of the program's or has exited."""
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return 0
    return kibibytes(pid, "status", "VmHWM") if any(name in command for name in PROGRAM_PROCESSES) else 0


if __name__ == "__main__":
    sys.exit(main())
