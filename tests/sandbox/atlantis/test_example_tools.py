"""The examples for other tools on the real server, where the tool is on PATH: OpenTofu, Terragrunt."""

import json

from components.configuration import repo_configuration, server_configuration
from sandbox.testbed.github.store import Store
from sandbox.testbed.paths import CHECKOUT
from tests.needs import needs
from tests.sandbox.atlantis.local_service import LocalService
from tests.sandbox.atlantis.pull_requests import RESOURCE, comment, open_with_files, say, send

pytestmark = needs("terraform")

EXAMPLES = CHECKOUT / "examples"


@needs("tofu")
def test_the_example_for_opentofu_plans_and_applies_with_it(local: LocalService) -> None:
    flags = server_configuration.load(str(EXAMPLES / "opentofu.yaml"))
    local.run_with(server_configuration.environment(flags))
    store = Store(local.deployment.state / "github")
    pull = open_with_files(store, "tofu", {"main.tf": RESOURCE}, default_branch="main")
    send(local, store, pull)
    plan = comment(store, pull, "Ran Plan for dir: `.`")
    assert "OpenTofu will perform the following actions" in plan, plan
    say(local.deployment, pull, "atlantis apply")
    assert "Apply complete! Resources: 1 added" in comment(store, pull, "Ran Apply for dir: `.`")


@needs("terragrunt")
def test_the_example_for_terragrunt_plans_with_it(local: LocalService) -> None:
    rules = repo_configuration.load(str(EXAMPLES / "terragrunt.yaml"))
    local.run_with({"ATLANTIS_REPO_CONFIG_JSON": json.dumps(rules)})
    store = Store(local.deployment.state / "github")
    files = {"one/main.tf": RESOURCE, "one/terragrunt.hcl": "inputs = {}\n"}
    pull = open_with_files(store, "grunt", files, default_branch="main")
    send(local, store, pull)
    assert "1 to add, 0 to change, 0 to destroy." in comment(store, pull, "Ran Plan for dir: `one`")
