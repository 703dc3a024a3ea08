"""Applies a deployed stack's resources to another local AWS with Terraform and the official AWS provider."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sandbox.conformance.conversion import configuration
from sandbox.conformance.terraform import Terraform
from sandbox.sandbox import Sandbox
from sandbox.substitutes.existing_resources import ExistingResources
from sandbox.testbed import local_aws
from sandbox.testbed.engine.workspace import clean_environment
from sandbox.testbed.files import read_json
from sandbox.testbed.paths import private_directory
from sandbox.testbed.terraform_provider import TerraformProvider


@contextmanager
def applied(deployed: Sandbox, provider: TerraformProvider, folder: Path) -> Iterator[tuple[Terraform, int]]:
    """Yield a Terraform directory that has applied the resources of ``deployed``, and their number.

    The other local AWS has its own copies of what the stack's settings name by ID. Its files are in ``folder``.
    """
    private_directory(folder)
    aws = local_aws.start(folder, clean_environment())
    try:
        settings = {**deployed.workspace.source_settings(deployed.stack), **deployed.settings}
        ExistingResources(folder, aws).replace(deployed.stack, settings)
        there, here = (read_json(state / "existing-resources.json") or {} for state in (deployed.state, folder))
        resources = json.dumps(deployed.resources())
        for name, identity in there.items():
            resources = resources.replace(identity, here[name])
        terraform = Terraform(folder / "terraform", provider, aws)
        converted = configuration(json.loads(resources), terraform.schema())
        terraform.configure(converted)
        terraform.apply()
        yield terraform, sum(map(len, converted.values()))
    finally:
        local_aws.stop(folder)
