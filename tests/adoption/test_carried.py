"""The adoption of states that the official provider wrote: what the command says of each, its exit code and its files."""

import dataclasses
import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from adoption import command, files, report
from adoption.plan import Plan
from sandbox.adoption_rehearsal.terraform import changed_by_terraform
from tests.adoption.carried_states import BY_NAME, CARRIED, REGION, Carried
from tests.adoption.plans import proposed
from tests.adoption.states import ORIGINAL_SETTINGS, change, write
from tests.needs import needs_provider

ARGUMENTS = {
    "aws_acm_certificate": ("domain_name", "validation_method"),
    "aws_iam_policy": ("name", "description", "policy", "tags"),
    "aws_route53_zone": ("name",),
    "aws_secretsmanager_secret": ("name", "description", "recovery_window_in_days", "tags"),
    "aws_subnet": ("vpc_id", "cidr_block", "availability_zone"),
    "aws_vpc": ("cidr_block",),
}
"""What the configurations of the carried states set of the resources that stay in Terraform."""

ALL = pytest.mark.parametrize("carried", CARRIED, ids=lambda carried: carried.name)


@pytest.fixture(autouse=True)
def _without_the_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)


def _run(folder: Path, state: Path, *options: str) -> int:
    config = {"aws:region": REGION} | {f"atlantis:{key}": value for key, value in ORIGINAL_SETTINGS.items()}
    stack_file = folder / "Pulumi.prod.yaml"
    stack_file.write_text(yaml.safe_dump({"config": config}), encoding="utf-8")
    files = ["--config-file", str(stack_file), "--adoption-file", str(folder / "adoption.yaml")]
    return command.main(["--state", str(state), "--stack", "prod", *files, *options])


@ALL
def test_it_is_adopted_without_a_problem(carried: Carried) -> None:
    plan = carried.plan()
    assert not plan.problems
    assert not [refusal for item in plan.adopted for refusal in item.refusals]
    assert len(plan.adopted) == carried.adopted
    assert plan.pairing.renamed.keys() == {*carried.renamed}
    assert carried.proposes.items() <= proposed(plan).items()
    assert all(any(part in note for note in plan.notes) for part in carried.notes)
    assert all(advice for _, advice in plan.left)


@ALL
def test_its_files_are_written_and_the_script_removes_what_the_table_does_not_keep(
    carried: Carried, tmp_path: Path
) -> None:
    assert _run(tmp_path, carried.adoptable(tmp_path), "--write", "--accept-lost", " ".join(carried.accepted)) == 0
    section = yaml.safe_load((tmp_path / "adoption.yaml").read_text(encoding="utf-8"))["prod"]
    assert len(section["import"]) == carried.adopted
    script = (tmp_path / "terraform-state-rm.prod.sh").read_text(encoding="utf-8")
    plan = carried.plan()
    removed = {item.pair.actual.address for item in plan.adopted}
    assert all(address in script for address in removed)
    kept = [actual.address for actual, advice in plan.left if advice.endswith("keep it")]
    lines = {line.strip().strip("'\\ ").strip("'") for line in script.splitlines()}
    assert not lines & set(kept)
    assert (tmp_path / "terraform-removed.prod.tf").exists() is bool(plan.to_remove)


def _kept_blocks(plan: Plan) -> str:
    """The configuration of what stays in Terraform outside of modules: what it refers to has its ID as a value."""
    blocks: dict[str, dict[str, dict[str, Any]]] = {}
    for actual in (actual for actual, advice in plan.left if advice.endswith("keep it") and not actual.module):
        name, key = actual.block.partition(".")[2], re.search(r'\["(.*)"\]', actual.address)
        values = {
            each: actual.attributes[each]
            for each in ARGUMENTS[actual.type]
            if actual.attributes[each] not in (None, "")
        }
        block = blocks.setdefault(actual.type, {}).setdefault(name, {} if key else values)
        if key:
            block |= {each: f"${{each.value.{each}}}" for each in values}
            block["for_each"] = {**block.get("for_each", {}), key[1]: values}
    return json.dumps({"resource": blocks} if blocks else {})


# The blocks of module-4.4.1 are those of module-5.1.0, and its rehearsal (tests/sandbox/test_adoption.py) has Terraform forget them.
@needs_provider()
@pytest.mark.parametrize(
    "carried", [carried for carried in CARRIED if carried.name != "module-4.4.1"], ids=lambda carried: carried.name
)
def test_terraform_forgets_all_but_what_the_table_keeps_plans_it_without_a_change_and_takes_everything_back(
    carried: Carried, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Step 5 of docs/adoption.md and its way back."""
    monkeypatch.undo()
    plan, folder = carried.plan(tmp_path), tmp_path / "terraform"
    assert list(changed_by_terraform(plan, folder)) == []
    assert "skipped" not in capsys.readouterr().err
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", str(folder / "terraform.rc"))

    def run(*arguments: str) -> set[str]:
        command = ["terraform", f"-chdir={folder}", *arguments]
        ran = subprocess.run(command, check=False, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return {line for line in ran.stdout.splitlines() if not re.match(r"(module\.[^ ]+\.)?data\.", line)}

    kept = {actual.address for actual, advice in plan.left if advice.endswith("keep it")}
    assert run("state", "list") == kept
    (folder / "kept.tf.json").write_text(_kept_blocks(plan), encoding="utf-8")
    applied = run("apply", "-auto-approve", "-refresh=false")
    assert "Apply complete! Resources: 0 added, 0 changed, 0 destroyed." in applied
    assert run("state", "list") == {address for address in kept if address.startswith("aws_")}
    run("state", "push", "-force", str(plan.file))
    assert run("state", "list") == {resource.address for resource in plan.anatomy.state.resources}

    if plan.to_remove:
        monkeypatch.setattr(files, "removed_blocks", lambda _blocks: "")
        destroyed = {line.partition("[")[0] for line in changed_by_terraform(plan, tmp_path / "without")}
        assert sorted(destroyed) == [f"Terraform would delete {block}" for block in plan.to_remove]


def test_the_original_stops_until_the_loss_of_its_repositories_rules_is_accepted(tmp_path: Path) -> None:
    original = BY_NAME["original"]
    assert _run(tmp_path, original.path, "--write") == 1
    assert not (tmp_path / "adoption.yaml").exists()
    (problem,) = dataclasses.replace(original, accepted=[]).plan().problems
    assert "ATLANTIS_REPO_CONFIG: the program has its own rules" in problem
    assert 'ACCEPT_LOST="ATLANTIS_REPO_CONFIG right:acm ' in problem


def test_all_of_the_original_but_what_the_program_has_elsewhere_is_adopted() -> None:
    plan = BY_NAME["original"].plan()
    names = {item.pair.wanted.name for item in plan.adopted}
    assert sum(name.startswith("storage-mount-target-") for name in names) == 2
    assert names >= {
        *("storage-efs", "storage-access-point"),
        *("compute-cluster", "compute-capacity", "compute-service", "compute-logs"),
        *("storage-ecr-key", "storage-efs-key", "storage-ecr-key-alias", "storage-efs-key-alias"),
        *("storage-repository", "storage-lifecycle", "storage-repository-policy"),
        *("ingress-alb", "ingress-http", "ingress-https", "ingress-targets"),
        *("network-alb", "network-ecs-tasks", "network-efs", "network-vpc-endpoints"),
        *("network-alb-https-from-203.0.113.0/24", "network-alb-http-from-203.0.113.0/24"),
        *("network-alb-to-tasks-ingress", "network-tasks-to-efs-ingress"),
        *(f"network-endpoint-{name}" for name in ("ecr.api", "ecr.dkr", "s3", "secretsmanager", "logs")),
        *("permissions-execution-role", "permissions-task-role", "permissions-execution-managed"),
        *("permissions-task-additional-0", "permissions-task-additional-1"),
    }
    assert {actual.type for actual, _ in plan.left} == {
        *("aws_ecs_task_definition", "aws_iam_policy", "aws_iam_role_policy"),
        *("aws_kms_key_policy", "aws_secretsmanager_secret", "aws_ssm_parameter", "aws_vpc_security_group_egress_rule"),
    }


@pytest.mark.parametrize("name", ["module-3.28.0", "module-4.4.1", "module-5.1.0"])
def test_the_module_s_record_is_adopted_under_its_whole_name(name: str) -> None:
    record = next(item for item in BY_NAME[name].plan().adopted if item.pair.wanted.name == "ingress-alias-a")
    assert record.pair.import_id.endswith("_atlantis.example.com_A")
    assert not record.changes
    aliases = [advice for actual, advice in BY_NAME[name].plan().left if actual.get("type") == "AAAA"]
    assert all("which has no IPv6 address" in advice for advice in aliases)
    assert bool(aliases) is (name != "module-3.28.0")


def test_a_rule_that_the_state_holds_no_id_of_stops_it_with_the_way_out() -> None:
    problems = dataclasses.replace(BY_NAME["inline"], fixed={}).plan().problems
    assert [problem.partition(":")[0] for problem in problems] == [
        "network-alb-https-from-203.0.113.0/25",
        "network-alb-https-from-203.0.113.128/25",
        "network-alb-to-tasks-ingress",
    ]
    assert all("Make it an aws_vpc_security_group_ingress_rule" in problem for problem in problems)


def test_rights_that_remain_from_older_forms_are_named_with_their_commands() -> None:
    plan = BY_NAME["inline"].plan()
    text, role = report.describe(plan), plan.pairing.renamed["permissions-task-role"].attributes["name"]
    assert f"aws iam delete-role-policy --role-name {role} --policy-name state" in text
    assert f"aws iam detach-role-policy --role-name {role} --policy-arn arn:aws:iam::aws:policy/ReadOnlyAccess" in text
    assert f"aws iam delete-role --role-name {role}" in text
    assert "--policy-arn arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy" in text
    assert "aws ec2 revoke-security-group-egress" in text


@pytest.mark.parametrize(
    ("name", "row", "says"),
    [
        (
            "module-3.28.0",
            {"set": {"aws_efs_file_system.this": {"encrypted": False}}},
            "file system can't be encrypted",
        ),
        ("module-4.4.1", {"variables": {"ATLANTIS_GH_TOKEN": "x"}}, "ATLANTIS_GH_TOKEN"),
        ("module-5.1.0", {"set": {"aws_lb.this": {"name": "tools"}}}, "tools"),
    ],
)
def test_what_cannot_be_adopted_stops_it(
    name: str, row: dict[str, Any], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[Any]
) -> None:
    state = BY_NAME[name].state()
    change(state, row)
    assert _run(tmp_path, write(tmp_path, state), "--write") == 1
    assert not (tmp_path / "adoption.yaml").exists()
    assert says in capsys.readouterr().out.rpartition("nothing was written")[2]
