"""docker/Dockerfile: hadolint finds nothing, and what the stack relies on is there."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from components.compute.workers import IMAGE_LABEL, IMAGE_VERSION

DOCKERFILE = (Path(__file__).parents[2] / "docker" / "Dockerfile").read_text(encoding="utf-8")
IN_IMAGE = "/opt/atlantis-isolation"
TOOLS = ("OPENTOFU", "TERRAGRUNT", "CONFTEST")


def hadolint(text: str) -> str:
    done = subprocess.run(
        [Path(sys.executable).with_name("hadolint"), "-"], input=text, capture_output=True, text=True, check=False
    )
    assert done.returncode in {0, 1}, done.stderr
    return done.stdout


def stages(text: str) -> dict[str, list[str]]:
    """The instructions of each stage by its name, its `FROM` first, without comments and continued lines."""
    lines = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", " ").splitlines()
    found: dict[str, list[str]] = {}
    name = ""
    for line in (" ".join(line.split()) for line in lines if line.strip()):
        if line.startswith("FROM "):
            name = line.split(" AS ")[1]
        found.setdefault(name, []).append(line)
    return found


def problems_of_the_programs(lines: list[str]) -> Iterator[str]:
    """What is missing in the stage with the programs that isolate Terraform."""
    if lines[0] != "FROM unreadable AS isolation" or lines[-1] != "USER 100":
        yield "the stage with the programs is not made of the unreadable server, or has another user"
    if f'LABEL {IMAGE_LABEL}="{IMAGE_VERSION}"' not in lines:
        yield "the image does not say which version of the programs it has"
    if f"COPY --chown=root:root --chmod=0755 isolation {IN_IMAGE}" not in lines:
        yield "the programs are not in their place, or not root's"
    prepared = next((line for line in lines if "compileall" in line), "")
    if not any(line.startswith("RUN apk add ") and '"stunnel~5"' in line for line in lines):
        yield "the image has no stunnel, which carries the connections with the workers"
    for folder in ("workers", "executor", "broker"):
        if f"/run/isolation/{folder} " not in prepared:
            yield f"the image has no directory to mount {folder} on"
    versions = "/usr/local/bin/terraform[0-9]* /usr/local/bin/tofu[0-9]*"
    if versions not in prepared or f"{IN_IMAGE}/shims/${{program##*/}}" not in prepared:
        yield "a version of Terraform has no shim"
    if "chmod 0755 /home/atlantis " not in prepared:
        yield "the users of commands can't enter the server's home directory"


def problems(text: str) -> Iterator[str]:
    """What is missing of what the stack relies on."""
    found = stages(text)
    if found["unreadable"][0] != "FROM ghcr.io/runatlantis/atlantis@${DIGEST} AS unreadable":
        yield "the stock image is not named by its digest"
    if "RUN chown root:root /usr/local/bin/atlantis && chmod 0711 /usr/local/bin/atlantis" not in found["unreadable"]:
        yield "the server's user can read the server"
    for name in ("with-tools", "server"):
        if found[name][0] != f"FROM isolation AS {name}":
            yield f"{name} is not made of the stage with the programs"
        if found[name][-1] != "USER 100":
            yield f"{name} does not end with the stock image's user"
        if any(line.split()[0] in {"ENTRYPOINT", "CMD", "HEALTHCHECK", "EXPOSE", "VOLUME"} for line in found[name]):
            yield f"{name} changes how the stock image starts"
    yield from problems_of_the_programs(found["isolation"])
    if list(found)[-1] != "server":
        yield "the image without tools is not the default"
    for line in found["archives"]:
        tool = next((tool for tool in TOOLS if f"${{{tool}_VERSION}}" in line), None)
        if line.startswith("ADD ") and not line.startswith(f"ADD --checksum=sha256:${{{tool}_SHA256}} https://"):
            yield f"a download has no checksum: {line}"
    for argument in (f"{tool}_{part}" for tool in TOOLS for part in ("VERSION", "SHA256")):
        if f"ARG {argument}" not in found["archives"]:
            yield f"{argument} is no build argument, or has a default"


def test_hadolint_finds_nothing() -> None:
    assert hadolint(DOCKERFILE) == ""


def test_everything_that_the_stack_relies_on_is_there() -> None:
    assert list(problems(DOCKERFILE)) == []
