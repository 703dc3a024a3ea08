"""docker/Dockerfile: hadolint finds nothing, and what the stack relies on is there."""

import re
import subprocess
import sys
from pathlib import Path

from components.settings.workers import IMAGE_LABEL, IMAGE_VERSION
from tests.tables import table

DOCKERFILE = (Path(__file__).parents[2] / "docker" / "Dockerfile").read_text(encoding="utf-8")
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


def test_everything_that_the_stack_relies_on_is_there() -> None:
    found = stages(DOCKERFILE)
    instructions = table(__file__, "instructions")
    assert [why for stage, text, why in instructions if not any(text in line for line in found[stage])] == []
    assert f'LABEL {IMAGE_LABEL}="{IMAGE_VERSION}"' in found["isolation"]
    assert list(found)[-1] == "server", "the image without tools is not the default"
    assert [name for name, lines in found.items() if name and lines[-1] != "USER 100"] == []
    starts = {"ENTRYPOINT", "CMD", "HEALTHCHECK", "EXPOSE", "VOLUME"}
    assert not [line for name in found for line in found[name] if line.split()[0] in starts]


def test_each_download_has_a_checksum_and_a_version_without_a_default() -> None:
    lines = stages(DOCKERFILE)["archives"]
    assert {f"ARG {tool}_{part}" for tool in TOOLS for part in ("VERSION", "SHA256")} <= set(lines)
    pattern = r"ADD --checksum=sha256:\$\{(\w+)_SHA256\} https://\S*\$\{\1_VERSION\}\S* \S+"
    downloads = [re.fullmatch(pattern, line) for line in lines if line.startswith("ADD ")]
    assert [download and download[1] for download in downloads] == list(TOOLS)


def test_hadolint_finds_nothing() -> None:
    assert hadolint(DOCKERFILE) == ""
