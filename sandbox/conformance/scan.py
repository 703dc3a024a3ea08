"""`make scan`: runs checkov on the stack, prints why each failed check is accepted, and records them in `sandbox/conformance/checkov.json`.

checkov reads Terraform, so two shapes of the stack are deployed in the sandbox, converted to Terraform's JSON and planned with the
official provider. checkov runs in a separate environment, created by uv, because its pins conflict with this project's.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sandbox.conformance.conversion import configuration
from sandbox.conformance.terraform import Terraform
from sandbox.sandbox import Sandbox
from sandbox.testbed import console, processes, terraform_provider
from sandbox.testbed.errors import SandboxError
from sandbox.testbed.files import write_json
from sandbox.testbed.paths import CHECKOUT
from sandbox.testbed.terraform_provider import TerraformProvider
from sandbox.testbed.yaml_files import read_yaml

VERSION = "3.3.30"
RECORDING = CHECKOUT / "sandbox" / "conformance" / "checkov.json"
ACCEPTED = RECORDING.with_name("accepted.yaml")
SHAPES: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "new VPC": ("local", {}),
    "production": ("prod", {"atlantis:lockingDatabase": "redis"}),
}
"""For each shape: the stack, and settings that override its stack file."""


def main() -> int:
    """Scan both shapes and write the recording. 1 if a failed check isn't accepted."""
    provider = terraform_provider.find(everywhere=True)
    if provider is None or shutil.which("terraform") is None:
        raise SandboxError("make scan requires terraform on PATH and the Terraform AWS provider on this machine")
    failed: dict[str, set[str]] = {}
    with tempfile.TemporaryDirectory(prefix="scan-") as folder:
        for number, (shape, (stack, settings)) in enumerate(SHAPES.items()):
            for check, resource in _findings(Path(folder) / str(number), stack, settings, provider):
                failed.setdefault(check, set()).add(resource)
                console.note(f"{shape}: {check} {resource}")
    recorded = {check: sorted(resources) for check, resources in sorted(failed.items())}
    RECORDING.write_text(json.dumps({"checkov": VERSION, "failed": recorded}, indent=2) + "\n", encoding="utf-8")
    console.step(f"{len(recorded)} checks fail, recorded in {RECORDING.relative_to(CHECKOUT)}")
    accepted = read_yaml(ACCEPTED)
    for check in recorded:
        console.note(f"{check}: {accepted.get(check, f'not accepted. Fix it, or give the reason in {ACCEPTED.name}')}")
    return int(not recorded.keys() <= accepted.keys())


def _findings(
    folder: Path, stack: str, settings: Mapping[str, Any], provider: TerraformProvider
) -> Iterator[tuple[str, str]]:
    """The failed checks of a shape, each with the resource."""
    sandbox = Sandbox(stack, state=folder / "engine", settings=settings, policy_pack=None, run_atlantis=False)
    try:
        sandbox.up()
        terraform = Terraform(folder / "terraform", provider, sandbox.aws)
        terraform.configure(configuration(sandbox.resources(), terraform.schema()))
        plan = terraform.plan_document()
    finally:
        processes.stop_all(sandbox.state)
    # checkov reads every file in the folder, so it contains only the plan.
    write_json(folder / "plan" / "plan.json", plan)
    for result in _checkov(folder / "plan"):
        for finding in result["results"]["failed_checks"]:
            yield finding["check_id"], finding["resource"]


def _checkov(folder: Path) -> list[dict[str, Any]]:
    uv = Path(sys.executable).with_name("uv")
    command = [uv, "tool", "run", "--from", f"checkov=={VERSION}", "checkov"]
    command += ["--directory", folder, "--framework", "terraform_plan", "--output", "json", "--quiet", "--compact"]
    done = subprocess.run(
        [*command, "--skip-download", "--soft-fail"], capture_output=True, text=True, check=False, cwd=folder
    )
    try:
        report = json.loads(done.stdout)
    except ValueError:
        raise SandboxError(f"checkov {VERSION} didn't run:\n{(done.stdout + done.stderr)[-2000:]}") from None
    return report if isinstance(report, list) else [report]


if __name__ == "__main__":
    try:
        sys.exit(main())
    except SandboxError as error:
        sys.exit(str(error))
