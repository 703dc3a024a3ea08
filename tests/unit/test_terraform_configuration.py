"""The CLI configuration of the sandbox' Terraform: providers of this machine only, and no folder that doesn't exist."""

import os
import re
import stat
from pathlib import Path

import pytest

from sandbox.testbed import terraform_provider
from sandbox.testbed.terraform_provider import TerraformProvider


def test_other_providers_come_from_the_plugin_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    cache, mirror, file = tmp_path / "cache", tmp_path / "mirror", tmp_path / "terraform.tfrc"
    cache.mkdir()
    monkeypatch.setenv("TF_PLUGIN_CACHE_DIR", str(cache))
    monkeypatch.setenv("HOME", str(tmp_path / "no-home"))
    TerraformProvider(mirror).write_configuration(file)
    text = file.read_text("utf-8")
    assert f'path    = "{mirror}"\n    include = ["hashicorp/aws"]' in text
    assert f'path    = "{cache}"\n    exclude = ["hashicorp/aws"]' in text
    assert "direct" not in text
    for path, filter_ in re.findall(r'path    = "([^"]+)"\n    (\w+)', text):
        # Terraform fails if it has to search a folder that doesn't exist, so such a folder is only for named providers.
        assert Path(path).is_dir() or filter_ == "include", path


def test_a_mirror_is_readable_for_the_tasks_user_whatever_the_umask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    program = tmp_path / "bin" / "tofu"
    program.parent.mkdir()
    program.write_text(
        '#!/bin/sh\necho "provider[registry.example/hashicorp/aws]"\necho "on linux_amd64"\n', encoding="utf-8"
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent), prepend=os.pathsep)
    executable = tmp_path / f"terraform-provider-aws_v{terraform_provider.VERSION}_x5"
    executable.touch()
    before = os.umask(0o077)
    try:
        mirror = terraform_provider._linked(executable, tmp_path / "mirror", "tofu")
    finally:
        os.umask(before)
    (link,) = mirror.rglob(executable.name)
    assert link.parent.parts[-4:] == ("hashicorp", "aws", terraform_provider.VERSION, "linux_amd64")
    folders = [mirror, *(path for path in mirror.rglob("*") if path.is_dir())]
    assert {stat.S_IMODE(path.stat().st_mode) for path in folders} == {0o755}
