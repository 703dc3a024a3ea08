"""The CLI configuration of the sandbox' Terraform: providers of this machine only, and no folder that doesn't exist."""

import re
from pathlib import Path

import pytest

from sandbox.terraform_provider import TerraformProvider


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
