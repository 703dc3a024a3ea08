"""What WRITE=1 changes, and how the program reads it back."""

from pathlib import Path
from typing import Any

import pulumi
import pytest
import yaml

from adoption import files
from adoption.proposal import Proposal
from components import adoption

STACK_FILE = """\
# What this stack is for.
config:
  aws:region: eu-west-1
  # The network
  atlantis:vpcId: vpc-old
  atlantis:publicSubnetIds:
    - subnet-1
    - subnet-2
  # Who gets in
  atlantis:allowedCidrBlocks: [203.0.113.0/24]
  atlantis:hostedZoneId: Z0123456789ABCDEFGHIJ
"""


def _write(folder: Path, text: str, *proposals: Proposal) -> str:
    path = folder / "Pulumi.prod.yaml"
    path.write_text(text, encoding="utf-8")
    files.write_settings(path, proposals)
    return path.read_text(encoding="utf-8")


def test_a_setting_is_replaced_taken_out_and_added_and_the_rest_stays(tmp_path: Path) -> None:
    written = _write(
        tmp_path,
        STACK_FILE,
        Proposal("publicSubnetIds", ["subnet-3"], ""),
        Proposal("vpcId", "vpc-new", ""),
        Proposal("hostedZoneId", None, ""),
        Proposal("posixGid", 1000, ""),
        Proposal("vpcEndpoints", [], ""),
        Proposal("extraContainers", [{"name": "datadog", "environment": {"DD_SITE": "eu"}}], ""),
    )
    assert (
        written
        == """\
# What this stack is for.
config:
  aws:region: eu-west-1
  # The network
  atlantis:vpcId: vpc-new
  atlantis:publicSubnetIds:
  - subnet-3
  # Who gets in
  atlantis:allowedCidrBlocks: [203.0.113.0/24]
  atlantis:posixGid: 1000
  atlantis:vpcEndpoints: []
  atlantis:extraContainers:
  - environment:
      DD_SITE: eu
    name: datadog
"""
    )


def test_settings_are_added_where_the_file_goes_on_behind_them(tmp_path: Path) -> None:
    written = _write(tmp_path, "config:\n  aws:region: eu-west-1\nencryptionsalt: v1:x\n", Proposal("cpu", 1024, ""))
    assert written == "config:\n  aws:region: eu-west-1\n  atlantis:cpu: 1024\nencryptionsalt: v1:x\n"


def test_a_file_of_another_layout_is_left_as_it_is(tmp_path: Path) -> None:
    text = "config: {aws:region: eu-west-1, atlantis:cpu: 2048}\n"
    with pytest.raises(files.StackFileError, match="set the proposed settings yourself"):
        _write(tmp_path, text, Proposal("cpu", 1024, ""))
    assert (tmp_path / "Pulumi.prod.yaml").read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("config:\n  atlantis:url:\n    secure: AAAB\n", r"encrypted settings \(atlantis:url\)"),
        ("[]\n", "has no `config` mapping"),
        ("config: {\n", "isn't YAML: line 2: "),
    ],
)
def test_a_stack_file_that_cannot_be_used_is_refused(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "Pulumi.prod.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(files.StackFileError, match=says):
        files.read_settings(path)


def test_other_stacks_keep_their_section(tmp_path: Path) -> None:
    path = tmp_path / "adoption.yaml"
    files.write_adoption(path, "staging", {"import": {"storage-efs": "fs-1"}, "keep": {}})
    files.write_adoption(path, "prod", {"import": {"storage-efs": "fs-2"}, "keep": {}})
    files.write_adoption(path, "prod", {"import": {"storage-efs": "fs-3"}, "keep": {}})
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert {stack: section["import"]["storage-efs"] for stack, section in found.items()} == {
        "staging": "fs-1",
        "prod": "fs-3",
    }


@pytest.mark.parametrize(
    "content",
    [
        "prod: [",
        "prod: 5",
        "[]",
        "prod: {imports: {}}",
        "prod: {import: [storage-efs]}",
        "prod: {import: {storage-efs: [fs-1]}}",
        "prod: {keep: {network-alb: description}}",
    ],
)
def test_a_damaged_adoption_file_ends_the_program_before_anything_is_registered(
    content: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "adoption.yaml"
    path.write_text(content, encoding="utf-8")
    monkeypatch.setenv(adoption.FILE_VARIABLE, str(path))
    with pytest.raises(pulumi.RunError, match="nothing was changed"):
        adoption.register("prod")


@pytest.mark.parametrize(
    "content", [None, "", "staging: {import: {storage-efs: fs-1}}", "prod: {import: {}, keep: {}}"]
)
def test_a_stack_without_a_section_has_no_transform(
    content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "adoption.yaml"
    if content is not None:
        path.write_text(content, encoding="utf-8")
    monkeypatch.setenv(adoption.FILE_VARIABLE, str(path))
    # Without an engine a transform can't be registered: it would raise.
    adoption.register("prod")
