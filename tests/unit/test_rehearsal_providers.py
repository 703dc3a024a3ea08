"""Providers of a rehearsed repository: vendored ones, downloads that were asked for, and what is missing."""

import subprocess
import threading
from pathlib import Path

import pytest

from sandbox.repository_rehearsal import providers
from sandbox.testbed.errors import SandboxError
from tests.needs import needs

SOURCE = "example.com/team/absent"
CONFIGURATION = f"""
terraform {{
  required_providers {{
    absent = {{ source = "{SOURCE}", version = "~> 1.0" }}
    aws = {{ source = "hashicorp/aws" }}
  }}
}}
resource "absent_thing" "a" {{}}
resource "terraform_data" "b" {{}}
"""


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "mirror"
    folder.mkdir()
    monkeypatch.setattr(providers, "OWN_MIRROR", folder)
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "tree" / "live"
    folder.mkdir(parents=True)
    (folder / "main.tf").write_text(CONFIGURATION, encoding="utf-8")
    return folder


def packaged(folder: Path) -> Path:
    """An unpacked provider below ``folder``, for this machine's platform."""
    version = subprocess.run(["terraform", "version"], capture_output=True, text=True, check=True).stdout
    platform = next(line.removeprefix("on ") for line in version.splitlines() if line.startswith("on "))
    package = folder / SOURCE / "1.2.0" / platform
    package.mkdir(parents=True)
    program = package / "terraform-provider-absent_v1.2.0"
    program.write_text("#!/bin/sh\n", encoding="utf-8")
    program.chmod(0o755)
    return package


@needs("terraform")
def test_a_vendored_provider_is_in_the_mirror_during_the_rehearsal(mirror: Path, project: Path) -> None:
    packaged(project / "terraform.d" / "plugins")
    with providers.vendored(project.parent) as copied:
        (path,) = copied
        assert path.startswith(f"{SOURCE}/1.2.0/")
        assert (mirror / path / "terraform-provider-absent_v1.2.0").is_file()
    assert not (mirror / path).exists()


def test_a_rehearsal_with_vendored_providers_waits_for_another_stacks(mirror: Path, tmp_path: Path) -> None:
    package = tmp_path / "tree" / "terraform.d" / "plugins" / SOURCE / "1.2.0" / "linux_amd64"
    package.mkdir(parents=True)
    (package / "program").touch()
    inside, seen = threading.Event(), []

    def other() -> None:
        with providers.vendored(tmp_path / "tree") as copied:
            inside.set()
            seen.extend((mirror / path / "program").is_file() for path in copied)

    with providers.vendored(tmp_path / "tree"):
        thread = threading.Thread(target=other)
        thread.start()
        assert not inside.wait(0.3), "the first one would remove the provider while the second one uses it"
    thread.join(10)
    assert seen == [True]


@needs("terraform")
def test_the_requirements_leave_out_what_the_sandbox_has(project: Path) -> None:
    assert providers.required(project) == {SOURCE: ["~> 1.0"]}


@needs("terraform")
def test_a_download_installs_as_the_users_own_terraform_does(
    mirror: Path, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = tmp_path / "own"
    package = packaged(own)
    configuration = tmp_path / "terraformrc"
    configuration.write_text(
        f'provider_installation {{\n  filesystem_mirror {{\n    path = "{own}"\n  }}\n}}\n', encoding="utf-8"
    )
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", str(configuration))
    assert providers.download([project]) == [SOURCE]
    assert (mirror / package.relative_to(own) / "terraform-provider-absent_v1.2.0").is_file()


@needs("terraform")
def test_a_failed_download_has_the_reason_of_terraform(
    mirror: Path, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configuration = tmp_path / "terraformrc"
    configuration.write_text(
        f'provider_installation {{\n  filesystem_mirror {{\n    path = "{mirror}"\n  }}\n}}\n', encoding="utf-8"
    )
    monkeypatch.setenv("TF_CLI_CONFIG_FILE", str(configuration))
    with pytest.raises(SandboxError) as error:
        providers.download([project])
    assert providers.missing(str(error.value)) == [SOURCE]


@pytest.mark.parametrize("at", range(1, 8))
def test_a_missing_provider_is_found_between_lines_of_the_other_stream(at: int) -> None:
    error = (
        "│ Error: Failed to query available provider packages\n│ \n"
        "│ Could not retrieve the list of available versions for provider\n"
        "│ example.com/team/absent: could not connect to example.com: failed to\n│ request discovery document\n"
        "│ To see which modules are currently depending on example.com/team/absent and\n│ what versions are specified\n"
    ).splitlines(keepends=True)
    progress = ["Initializing provider plugins...\n", "- Finding latest version of example.com/team/absent...\n"]
    assert providers.missing("".join([*error[:at], *progress, *error[at:]])) == ["example.com/team/absent"]


def test_nothing_is_downloaded_for_a_project_without_other_providers(mirror: Path) -> None:
    assert providers.download([]) == []
    assert list(mirror.iterdir()) == []
