"""The steps of docs/adoption.md, carried out on a stack that Terraform runs: Terraform lets go, the engine takes over, and back."""

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from botocore import xform_name

from adoption import command, files
from adoption.plan import Plan, make_plan
from adoption.task_inventory import LOST
from preflight.aws import Aws
from sandbox.adoption_rehearsal.rehearsal import lost, other_resources
from sandbox.sandbox import Sandbox
from sandbox.testbed import local_aws, processes, terraform_provider
from sandbox.testbed.engine.workspace import clean_environment
from sandbox.testbed.files import write_json
from sandbox.testbed.local_aws import LocalAws, inventory
from tests.adoption.states import ORIGINAL_SETTINGS
from tests.needs import needs_provider

MODULE = Path(__file__).resolve().parents[1] / "adoption" / "fargate"
REGION = "ap-northeast-2"
PROVIDER = terraform_provider.find()
RESOURCE = re.compile(r'^resource "(\w+)" "(\w+)" \{\n.*?^\}\n', re.DOTALL | re.MULTILINE)
AFTER_THE_FIRST_UP = re.compile(r"After the first `up`: `aws ([^`]+)`")

pytestmark = needs_provider()


class Terraform:
    """The directory that the old stack is applied from."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = shutil.copytree(MODULE, folder)
        self.main = folder / "main.tf"
        configuration = folder / "terraform.rc"
        assert PROVIDER
        PROVIDER.write_configuration(configuration)
        self._environment = {**environment, "TF_CLI_CONFIG_FILE": str(configuration)}
        self("init", "-input=false")
        self("apply", "-auto-approve", "-input=false")

    def __call__(self, *arguments: str) -> str:
        """Run a command; its output."""
        ended = subprocess.run(
            ["terraform", f"-chdir={self.folder}", *arguments],
            env=self._environment,
            check=False,
            capture_output=True,
            text=True,
        )
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    def planned(self) -> dict[str, list[str]]:
        """What a plan would do, by address; what it leaves alone isn't in it."""
        self("plan", "-input=false", "-out=plan")
        changes = json.loads(self("show", "-json", "plan")).get("resource_changes", [])
        found = {change["address"]: change["change"]["actions"] for change in changes if change["mode"] == "managed"}
        return {address: actions for address, actions in found.items() if actions != ["no-op"]}

    def let_go_of(self, script: Path, addresses: set[str]) -> None:
        """Run the script that `make adopt` wrote, and delete the blocks of `addresses`."""
        subprocess.run(["sh", str(script)], cwd=self.folder, env=self._environment, check=True, capture_output=True)
        text = self.main.read_text(encoding="utf-8")
        kept = RESOURCE.sub(lambda block: "" if f"{block[1]}.{block[2]}" in addresses else block[0], text)
        self.main.write_text(kept, encoding="utf-8")


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    state = tmp_path / "sandbox"
    yield Sandbox("prod", state=state, policy_pack=None, run_atlantis=False, disposable=True)
    processes.stop_all(state)


def _use_as_they_are(sandbox: Sandbox, settings: dict[str, Any]) -> None:
    """The stack file's ids are of this local AWS: each is its own substitute."""
    vpc = settings["vpcId"]
    around = ("internet gateway", "public route table", "private route table", "address", "NAT gateway")
    ids = {f"{part} of {vpc}": "" for part in around} | {f"vpc {vpc}": vpc}
    ids |= {f"subnet {subnet}": subnet for key in ("publicSubnetIds", "privateSubnetIds") for subnet in settings[key]}
    arn = settings["acmCertificateArn"]
    write_json(sandbox.state / "existing-resources.json", ids | {f"certificate {arn}": arn})


def _without_index(address: str) -> str:
    return address.partition("[")[0]


def _members(client: Any, operation: str) -> Any:
    """The parameters of an operation by name."""
    return client.meta.service_model.operation_model(client.meta.method_to_api_mapping[operation]).input_shape.members


def _run(aws: LocalAws, text: str) -> None:
    """A command of AWS' CLI, by the SDK: `iam detach-role-policy --role-name a --policy-arn b`."""
    service, name, *rest = shlex.split(text)
    client = aws.client(service)
    operation = name.replace("-", "_")
    members = _members(client, operation)
    by_option = {f"--{xform_name(member, '-')}": member for member in members}
    parameters = {by_option[option]: value for option, value in zip(rest[::2], rest[1::2], strict=True)}
    listed = {n: [value] if members[n].type_name == "list" else value for n, value in parameters.items()}
    getattr(client, operation)(**listed)


def _written(folder: Path, state: Path) -> tuple[Plan, dict[str, Any], dict[str, Any]]:
    """`make adopt WRITE=1`: the plan, the settings and the section of adoption.yaml that it wrote."""
    stack_file, adoption_file = folder / "Pulumi.prod.yaml", folder / "adoption.yaml"
    config = {"aws:region": REGION} | {f"atlantis:{key}": value for key, value in ORIGINAL_SETTINGS.items()}
    stack_file.write_text(yaml.safe_dump({"config": config}), encoding="utf-8")
    plan = make_plan(state, "prod", ORIGINAL_SETTINGS, REGION)
    arguments = ["--state", str(state), "--stack", "prod", "--config-file", str(stack_file), "--write"]
    assert command.main([*arguments, "--adoption-file", str(adoption_file)]) == 0
    settings, _ = files.read_settings(stack_file)
    return plan, settings, yaml.safe_load(adoption_file.read_text(encoding="utf-8"))["prod"]


@contextmanager
def _deployed_by_ci(aws: LocalAws) -> Iterator[str]:
    """A revision with another variable, which the service runs, and whose role may use queues; Terraform's state knows neither."""
    ecs, iam = aws.client("ecs"), aws.client("iam")
    names = {"cluster": "atlantis", "service": "atlantis"}
    (service,) = ecs.describe_services(cluster="atlantis", services=["atlantis"])["services"]
    before = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
    (container,) = before["containerDefinitions"]
    environment = [*container["environment"], {"name": "ATLANTIS_AUTOMERGE", "value": "true"}]
    given = {name: before[name] for name in _members(ecs, "register_task_definition") if before.get(name)}
    given["containerDefinitions"] = [{**container, "environment": environment}]
    arn = ecs.register_task_definition(**given)["taskDefinition"]["taskDefinitionArn"]
    policy = {"RoleName": before["taskRoleArn"].rpartition("/")[2], "PolicyName": "queues"}
    allowed = {"Effect": "Allow", "Action": ["sqs:SendMessage", "sns:Publish"], "Resource": "*"}
    denied = {"Effect": "Deny", "Action": "sns:Publish", "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [allowed, denied]})
    ecs.update_service(**names, taskDefinition=arn)
    iam.put_role_policy(**policy, PolicyDocument=document)
    try:
        yield arn
    finally:
        iam.delete_role_policy(**policy)
        ecs.update_service(**names, taskDefinition=service["taskDefinition"])
        ecs.deregister_task_definition(taskDefinition=arn)


def _assert_that_what_runs_is_read(aws: LocalAws, state: Path) -> None:
    """As `make adopt` reads AWS with the account's credentials; the simulation leaves out what the role's policy denies."""
    with _deployed_by_ci(aws) as running, pytest.MonkeyPatch.context() as patch:
        for name, value in aws.environment().items():
            patch.setenv(name, value)
        found = make_plan(state, "prod", ORIGINAL_SETTINGS, REGION, aws=Aws(REGION))
    assert f"AWS was read: {running} runs, and its role has the policies that the table compares" in found.notes
    gone = {item.name for item in (*found.task, *found.rights) if item.result == LOST}
    assert gone == {"ATLANTIS_AUTOMERGE", "right:sqs"}


def test_the_documented_steps_move_a_stack_from_terraform_to_the_engine_and_back(
    tmp_path: Path, sandbox: Sandbox
) -> None:
    aws = local_aws.start(sandbox.state, clean_environment())
    terraform = Terraform(tmp_path / "terraform", sandbox.environment())
    original = terraform.main.read_text(encoding="utf-8")
    before = inventory.take(aws)

    # 1 to 4: pull the state, and write down what adopts it.
    pulled = tmp_path / "terraform.tfstate"
    pulled.write_text(terraform("state", "pull"), encoding="utf-8")
    _assert_that_what_runs_is_read(aws, pulled)
    plan, settings, section = _written(tmp_path, pulled)
    assert inventory.take(aws) == before
    names = {adopted.pair.wanted.name for adopted in plan.adopted}
    assert names >= {
        *("compute-service", "compute-cluster", "compute-logs", "ingress-alb", "ingress-https", "ingress-targets"),
        *("storage-efs", "storage-access-point"),
        *("network-alb", "network-ecs-tasks", "network-efs", "network-alb-to-tasks-ingress"),
    }
    assert {actual.type for actual, _ in plan.left} >= {"aws_vpc", "aws_subnet", "aws_acm_certificate"}

    # 5: Terraform lets go of everything that the table doesn't say to keep, and destroys nothing.
    kept = {_without_index(actual.address) for actual, advice in plan.left if advice.endswith("keep it")}
    everything = {_without_index(address) for address in terraform("state", "list").split() if "data." not in address}
    assert set(map(_without_index, plan.to_forget)) == everything - kept
    terraform.let_go_of(tmp_path / "terraform-state-rm.prod.sh", everything - kept)
    assert set(map(_without_index, terraform("state", "list").split())) & everything == kept
    assert terraform.planned() == {}
    assert inventory.take(aws) == before

    # 6 and 7: the engine adopts the stack itself, not a copy, and has nothing left to do.
    _use_as_they_are(sandbox, settings)
    program = sandbox.workspace.source_settings("prod")
    sandbox.settings = {key: None for key in program if key.startswith(files.NAMESPACE)}
    sandbox.settings |= {f"{files.NAMESPACE}{key}": value for key, value in settings.items()}
    files.write_adoption(sandbox.workspace.adoption_file, "prod", section)
    sandbox.up()
    assert list(lost(before, inventory.take(aws))) == []
    assert list(other_resources(sandbox.resources(), plan)) == []
    sandbox.preview(expect_no_changes=True)

    # 8: what the table says to remove is removed, and `import` is deleted.
    cleaning = [match[1] for _, advice in plan.left if (match := AFTER_THE_FIRST_UP.search(advice))]
    assert {line.split()[1] for line in cleaning} >= {"detach-role-policy", "revoke-security-group-egress"}
    for line in cleaning:
        _run(aws, line)
    files.write_adoption(sandbox.workspace.adoption_file, "prod", {"keep": section["keep"]})
    sandbox.preview(expect_no_changes=True)
    sandbox.refresh()
    sandbox.preview(expect_no_changes=True)

    # The way back: the engine forgets the stack, and Terraform sets the old values again without losing anything.
    adopted = inventory.take(aws)
    environment = {**os.environ, **sandbox.environment()}
    engine = [str(sandbox._stack.engine.executable), "-C", str(sandbox.workspace.project)]
    subprocess.run(
        [*engine, "stack", "rm", "--force", "--preserve-config", "--yes", "prod"], env=environment, check=True
    )
    assert inventory.take(aws) == adopted
    terraform.main.write_text(original, encoding="utf-8")
    terraform("state", "push", "-force", str(pulled))
    back = terraform.planned()
    assert not [address for address, actions in back.items() if "delete" in actions or "forget" in actions], back
    terraform("apply", "-input=false", "plan")
    assert list(lost(before, inventory.take(aws))) == []
    # The provider can't take the propagation of tags back: it leaves an empty value out of its request.
    assert terraform.planned() in ({}, {"aws_ecs_service.this": ["update"]})
