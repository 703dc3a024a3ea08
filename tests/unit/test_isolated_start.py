"""terraformIsolation: the start of the server's container, with the shims in front of the image's programs."""

import shutil
import subprocess
from pathlib import Path

from components.compute.server_start import server_start


def start(folder: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run the isolated start up to the server, which reports its environment."""
    programs = folder / "programs"
    (programs / "bin").mkdir(parents=True, exist_ok=True)
    for name in ("bin", "tmp"):
        (folder / name).mkdir(exist_ok=True)
    shutil.copy(shutil.which("true") or "", folder / "bin" / "atlantis")
    # It gets the environment that the server gets, and takes the configuration in the server's place.
    entry_point = folder / "bin" / "docker-entrypoint.sh"
    entry_point.write_text('#!/bin/sh\ntr "\\0" "\\n" </proc/$$/environ; cat "$TMPDIR"/*/server.yaml\n')
    entry_point.chmod(0o755)
    script = server_start([], isolated=True)["entryPoint"]
    return subprocess.run(
        ["/bin/sh", "-c", script[2].replace("/opt/atlantis-isolation", str(programs)), "server-start"],
        env={
            "PATH": f"{folder / 'bin'}:/usr/bin:/bin",
            "ATLANTIS_DATA_DIR": str(folder / "data"),
            "TMPDIR": str(folder / "tmp"),
            **environment,
        },
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def test_the_server_starts_with_the_shims_first_and_without_the_addresses_and_programs_of_before(
    tmp_path: Path,
) -> None:
    shim = tmp_path / "programs" / "shims" / "terraform"
    shim.parent.mkdir(parents=True)
    shim.touch(mode=0o755)
    (tmp_path / "data" / "bin").mkdir(parents=True)
    (tmp_path / "data" / "bin" / "terraform1.5.7").write_text("planted")
    (tmp_path / "data" / "repos").mkdir()
    done = start(
        tmp_path, AWS_CONTAINER_CREDENTIALS_RELATIVE_URI="/secret", ECS_AGENT_URI="http://secret", GIVEN="a\nb"
    )
    environment = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    assert environment["PATH"].startswith(f"{tmp_path}/programs/shims:{tmp_path}/programs/bin:")
    assert {"PATH", "GIVEN", "ATLANTIS_DATA_DIR", "TMPDIR"} <= set(environment["ISOLATION_SERVER_NAMES"].split())
    assert "secret" not in done.stdout
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["repos"]


def test_an_image_without_the_programs_says_which_image_it_needs(tmp_path: Path) -> None:
    done = start(tmp_path)
    assert done.returncode == 1
    assert "build the image of docker/" in done.stderr
