"""The program that changes and destroys what a rehearsal applied is the one that Atlantis applied it with."""

from pathlib import Path

import pytest

from sandbox.repository_rehearsal.applied_project import program_of


@pytest.mark.parametrize(
    ("distribution", "program"), [("", "terraform"), ("terraform", "terraform"), ("opentofu", "tofu")]
)
def test_a_project_is_changed_with_the_servers_program(tmp_path: Path, distribution: str, program: str):
    assert program_of(tmp_path, distribution) == (program, {})
    (tmp_path / "terragrunt.hcl").touch()
    name, variables = program_of(tmp_path, distribution)
    assert (name, variables["TG_TF_PATH"]) == ("terragrunt", program)
