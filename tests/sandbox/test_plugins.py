"""Which provider plugins the engine gets: the official ones where they are installed, else the stand-ins."""

import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from sandbox.testbed.engine import plugins
from sandbox.testbed.errors import SandboxError


def _plugin(folder: Path, provider: str, says: str) -> None:
    folder.mkdir(parents=True)
    path = folder / f"pulumi-resource-{provider}"
    path.write_text(f'#!/bin/sh\necho "{says} $*"\n')
    path.chmod(0o755)


def _wrapper(home: Path, provider: str) -> Path:
    return home / "plugins" / f"resource-{provider}-v{version(f'pulumi-{provider}')}" / f"pulumi-resource-{provider}"


def _run(home: Path, provider: str) -> str:
    return subprocess.run([_wrapper(home, provider), "address"], capture_output=True, text=True, check=True).stdout


@pytest.fixture
def persons_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The Pulumi folder of a person who has no plugin yet, on PATH neither."""
    home = tmp_path / "person"
    monkeypatch.setenv("PULUMI_HOME", str(home))
    monkeypatch.setenv("PATH", f"{tmp_path / 'path'}:/bin:/usr/bin")
    return home


@pytest.mark.usefixtures("persons_home")
def test_without_official_plugins_the_stand_ins_are_used(tmp_path: Path):
    said = plugins.install_providers(tmp_path / "home")

    assert said == "Providers: the sandbox's stand-ins for aws, awsx, random"
    assert "sandbox.testbed.providers aws" in _wrapper(tmp_path / "home", "aws").read_text()


def test_the_newest_official_plugin_of_the_sdks_major_version_is_used(tmp_path: Path, persons_home: Path):
    _plugin(persons_home / "plugins" / "resource-aws-v6.99.0", "aws", "six")
    _plugin(persons_home / "plugins" / "resource-aws-v7.9.0", "aws", "seven nine")
    _plugin(persons_home / "plugins" / "resource-aws-v7.51.1", "aws", "seven fifty-one")

    said = plugins.install_providers(tmp_path / "home")

    assert said == "Providers: the official aws and the sandbox's stand-ins for awsx, random"
    assert _run(tmp_path / "home", "aws") == "seven fifty-one address\n"


@pytest.mark.usefixtures("persons_home")
def test_an_official_plugin_on_path_is_used(tmp_path: Path):
    _plugin(tmp_path / "path", "random", "from PATH")

    plugins.install_providers(tmp_path / "home")

    assert _run(tmp_path / "home", "random") == "from PATH address\n"


def test_a_wrapper_follows_what_is_installed_later(tmp_path: Path, persons_home: Path):
    plugins.install_providers(tmp_path / "home")
    _plugin(persons_home / "plugins" / "resource-random-v4.21.4", "random", "official")

    plugins.install_providers(tmp_path / "home")

    assert _run(tmp_path / "home", "random") == "official address\n"


CLI = """#!/bin/sh
test "$1 $2 $3" = "plugin install resource" || exit 2
test "$4" != awsx || { echo "get.example.com is unreachable" >&2; exit 1; }
folder="$PULUMI_HOME/plugins/resource-$4-$5"
/bin/mkdir -p "$folder"
printf '#!/bin/sh\necho "official %s $*"\n' "$5" > "$folder/pulumi-resource-$4"
/bin/chmod +x "$folder/pulumi-resource-$4"
"""


def _cli(folder: Path, script: str) -> Path:
    path = folder / "pulumi"
    path.write_text(script)
    path.chmod(0o755)
    return path


def test_official_plugins_are_downloaded_in_the_sdks_versions_on_request(
    tmp_path: Path, persons_home: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(plugins, "DOWNLOADED", tmp_path / "downloaded")
    _plugin(persons_home / "plugins" / "resource-aws-v7.99.0", "aws", "of another version")
    cli = _cli(tmp_path, CLI.replace('test "$4" != awsx', "true"))
    plugins.download_official(cli)
    assert not (tmp_path / "downloaded").exists()
    monkeypatch.setenv(plugins.CHOICE, "official")

    plugins.download_official(cli)

    assert plugins.install_providers(tmp_path / "home") == "Providers: the official aws, awsx, random"
    assert _run(tmp_path / "home", "aws") == f"official v{version('pulumi-aws')} address\n"
    assert capfd.readouterr().err.count("Downloading the official plugin") == 3
    plugins.download_official(cli)
    assert capfd.readouterr().err == ""


@pytest.mark.usefixtures("persons_home")
def test_a_plugin_that_can_not_be_downloaded_is_named_with_both_fixes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(plugins, "DOWNLOADED", tmp_path / "downloaded")
    monkeypatch.setenv(plugins.CHOICE, "official")

    with pytest.raises(
        SandboxError, match=r"plugin awsx v\S+ can't be downloaded:\nget.example.com is unreachable"
    ) as raised:
        plugins.download_official(_cli(tmp_path, CLI))

    assert "omit PLUGINS=official" in str(raised.value)
    monkeypatch.setenv(plugins.CHOICE, "new")
    with pytest.raises(SandboxError, match="PLUGINS=new"):
        plugins.download_official(_cli(tmp_path, CLI))
