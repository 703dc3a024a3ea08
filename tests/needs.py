"""What tests need that the project can't install by itself, and the list of tests that were skipped without it.

`make test` runs pytest several times. Each run appends the reasons of its skipped tests to the file that the variable
ATLANTIS_SKIPPED names, and ``python -m tests.needs FILE`` prints them together at the end.
"""

import os
import shutil
import sys
from collections import Counter
from pathlib import Path

import pytest

from sandbox.testbed import npm, terraform_provider
from sandbox.testbed.containers import bubblewrap
from sandbox.testbed.errors import SandboxError
from sandbox.testbed.iam_evaluation import evaluator

VARIABLE = "ATLANTIS_SKIPPED"
TERRAFORM = "https://developer.hashicorp.com/terraform/install"
BROUGHT_BY = {
    "aws": "the AWS CLI, https://docs.aws.amazon.com/cli/latest/userguide/getting-started-install.html",
    "busybox": "Debian's package busybox-static",
    "jq": "Debian's package jq",
    "redis-server": "Debian's package redis-server",
    "stunnel": "Debian's package stunnel4",
    "terraform": f"HashiCorp's package terraform, {TERRAFORM}",
    "terragrunt": "https://terragrunt.gruntwork.io/docs/getting-started/install/",
    "tofu": "`go build` of the Go module github.com/opentofu/opentofu/cmd/tofu",
}
"""What brings a program, by its name."""


def without(program: str) -> str:
    """The reason to skip a test without ``program``, with what brings it."""
    return f"no {program} on PATH ({BROUGHT_BY[program]})"


def needs(program: str, *alternatives: str) -> pytest.MarkDecorator:
    """Skip a test if neither ``program`` nor one of its ``alternatives`` is on PATH."""
    found = any(shutil.which(name) for name in (program, *alternatives))
    return pytest.mark.skipif(not found, reason=without(program))


def needs_containers() -> pytest.MarkDecorator:
    """Skip a test on a machine that can't run a task's containers."""
    reason = bubblewrap.why_not()
    return pytest.mark.skipif(bool(reason), reason=f"no containers: {reason}")


def needs_provider(*, everywhere: bool = False) -> pytest.MarkDecorator:
    """Skip a test without the official Terraform AWS provider, which the sandbox never downloads."""
    missing = terraform_provider.find(everywhere=everywhere) is None
    how = f"in a folder that requires hashicorp/aws {terraform_provider.VERSION}: terraform providers mirror ~/.terraform.d/plugins"
    return pytest.mark.skipif(missing, reason=f"no Terraform AWS provider on this machine ({how})")


def iam_evaluator() -> None:
    """Skip the test that calls this if the IAM policy evaluator isn't installed and npm can't install it."""
    try:
        evaluator.install()
    except SandboxError:
        pytest.skip("no IAM policy evaluator (npm's package @cloud-copilot/iam-simulate, installed on first use)")


def npm_packages(packages: npm.Packages) -> Path:
    """The directory of ``packages``; skips the test that calls this if they aren't installed and npm can't install them."""
    try:
        return packages.install()
    except SandboxError:
        pytest.skip(f"no packages of {packages.sources.name} (installed from npm on first use)")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Record why a test was skipped. pytest-xdist also reports to its workers, which leave it to the controller."""
    file = os.environ.get(VARIABLE)
    if report.skipped and file and "PYTEST_XDIST_WORKER" not in os.environ and isinstance(report.longrepr, tuple):
        with Path(file).open("a", encoding="utf-8") as log:
            log.write(report.longrepr[2].removeprefix("Skipped: ") + "\n")


def main() -> None:
    """Print the recorded reasons, with the number of tests of each."""
    file = Path(sys.argv[1])
    reasons = Counter(file.read_text(encoding="utf-8").splitlines() if file.exists() else [])
    lines = [f"  {count:>4}  {reason}" for reason, count in reasons.most_common()]
    heading = f"Skipped {reasons.total()} tests:" if reasons else "No test was skipped."
    sys.stdout.write("\n".join([heading, *lines]) + "\n")


if __name__ == "__main__":
    main()
