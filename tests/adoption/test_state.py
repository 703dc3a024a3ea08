"""Reading a state file: what it holds, and what is refused with a way out."""

import json
from pathlib import Path
from typing import Any

import pytest

from adoption.state import StateError, read_state
from tests.adoption.states import ALB, SECRET_VALUE, TASKS, find, small_state, write


def _document(**changes: Any) -> str:
    return json.dumps({**small_state(), **changes})


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("", "isn't JSON"),
        ("resource aws_lb this {}", "isn't JSON"),
        ("[]", "is not a Terraform state"),
        ("{}", "has no `version` and `lineage`"),
        ("PK\x03\x04plan", "is a Terraform plan"),
        (_document(version=3), "has state format 3; this reads format 4"),
        (_document(version=5), "has state format 5"),
        (_document(resources=None), "has no list of resources"),
        (_document(resources=[{"mode": "managed", "type": "aws_lb"}]), "the resource '?' is damaged"),
        (json.dumps({"serial": 1, "lineage": "x", "meta": {}, "encrypted_data": "eyJ"}), "is encrypted"),
        (json.dumps({"version": 4, "lineage": "ENC[...]", "sops": {"mac": "..."}}), "is encrypted"),
        (json.dumps({"format_version": "1.0", "values": {}}), "is the output of `terraform show -json`"),
        (json.dumps({"version": 3, "deployment": {"resources": []}}), "is a Pulumi state"),
    ],
)
def test_what_is_no_state_of_format_4_is_refused(tmp_path: Path, content: str, says: str) -> None:
    path = tmp_path / "terraform.tfstate"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(StateError, match=str(path)) as refused:
        read_state(path)
    assert says in str(refused.value)
    assert "`" in str(refused.value), "it names a command that helps"


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StateError, match="No such file or directory"):
        read_state(tmp_path / "none.tfstate")


def test_a_resource_has_the_address_that_terraform_lists(tmp_path: Path) -> None:
    state = small_state()
    state["resources"][0]["instances"][0]["index_key"] = "main"
    state["resources"][1]["instances"][0]["index_key"] = 0
    addresses = [resource.address for resource in read_state(write(tmp_path, state)).resources[:3]]
    assert addresses == [
        'module.atlantis.aws_security_group.alb["main"]',
        "module.atlantis.aws_security_group.tasks[0]",
        "module.atlantis.aws_security_group.efs",
    ]


def test_data_sources_are_not_resources(tmp_path: Path) -> None:
    state = small_state()
    state["resources"] = [{**item, "mode": "data"} for item in state["resources"]]
    assert read_state(write(tmp_path, state)).resources == ()


def test_a_rule_of_the_older_form_counts_as_one_of_the_newer(tmp_path: Path) -> None:
    found = read_state(write(tmp_path, small_state())).of("aws_vpc_security_group_ingress_rule")
    rule = next(item for item in found if item.address.endswith("aws_security_group_rule.tasks"))
    assert (rule.attributes["security_group_id"], rule.attributes["referenced_security_group_id"]) == (TASKS, ALB)
    assert rule.id == "sgr-0aa0bb0cc0dd0ee53"


def test_a_rule_of_the_older_form_with_two_ranges_stays_what_it_is(tmp_path: Path) -> None:
    state = small_state()
    find(state, "aws_security_group_rule.tasks")["cidr_blocks"] = ["203.0.113.0/24", "198.51.100.0/24"]
    found = read_state(write(tmp_path, state))
    assert [item.address for item in found.of("aws_security_group_rule")] == [
        "module.atlantis.aws_security_group_rule.tasks"
    ]


def test_a_value_is_not_in_what_a_resource_shows(tmp_path: Path) -> None:
    assert SECRET_VALUE not in repr(read_state(write(tmp_path, small_state())).resources)
