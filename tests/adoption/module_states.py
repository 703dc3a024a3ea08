"""Makes the states of `carried/`: Terraform applies a module with the official provider to the sandbox's local AWS.

`python -m tests.adoption.module_states [NAME ...]`, without a name all of them. git clones the public modules from GitHub at
the versions below. The provider on this machine may be older than the one a module was written for, so what this one doesn't
have is left out of the copies, and `_written_by_version_6` adds what the newer one writes. The modules' code isn't kept.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.sandbox import Sandbox
from sandbox.testbed import local_aws, processes, terraform_provider
from sandbox.testbed.engine.workspace import clean_environment

HERE = Path(__file__).resolve().parent
CARRIED = HERE / "carried"
GITHUB = "https://github.com/{}/terraform-aws-{}"
SOURCE = re.compile(
    r'source\s*=\s*"(?:terraform-aws-modules|cloudposse)/([\w-]+)/aws(?:/(/[\w/-]+))?"\s*\n\s*version\s*=\s*"[^"]*"\n'
)


@dataclass(frozen=True)
class Source:
    """How one state is made: configuration files of this folder, and clones of public modules by name and tag."""

    files: tuple[str, ...]
    modules: Mapping[str, str] = field(default_factory=dict)
    left_out: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By file of the clones, the arguments and blocks that the provider doesn't have."""
    replaced: Mapping[str, str] = field(default_factory=dict)
    """Patterns in the clones, and what replaces them."""


_ANY_VERSION = {r'((?:required_)?version\s*=\s*)"(?:>=|~>) [\d.]+"': r'\1">= 1.0"'}

SOURCES: Mapping[str, Source] = {
    "module-3.28.0": Source(
        ("modules/network.tf", "modules/v3.tf"),
        {"atlantis": "v3.28.0", "alb": "v6.5.0", "acm": "v3.2.0", "ecs": "v3.3.0", "security-group": "v4.8.0"}
        | {"ecs-container-definition": "0.58.1"},
        {"ecs/main.tf": ("capacity_providers", 'dynamic "default_capacity_provider_strategy"')}
        | {"atlantis/main.tf": ('module "vpc"', 'resource "random_id" "webhook"')}
        | {f"{name}/versions.tf": ("random", "local") for name in ("atlantis", "ecs-container-definition")},
        {r"module\.vpc\.vpc_id": '""', r"module\.vpc\.\w+": "[]", r"random_id\.webhook\[\*\]\.hex": "[]"}
        | {r"random_id\.webhook\[0\]\.hex": '""'},
    ),
    "module-4.4.1": Source(
        ("modules/network.tf", "modules/v4.tf"),
        {"atlantis": "v4.4.1", "alb": "v9.1.0", "acm": "v5.0.0", "ecs": "v5.11.0", "efs": "v1.3.1"},
    ),
    "module-5.1.0": Source(
        ("modules/network.tf", "modules/v5.tf"),
        {"atlantis": "v5.1.0", "alb": "v10.2.0", "acm": "v6.1.1", "ecs": "v6.7.0", "efs": "v2.0.0"},
        {"alb/main.tf": ("regex_values", 'dynamic "transform"'), "acm/main.tf": ("export",)}
        | {"efs/main.tf": ("ip_address_type", "ipv6_address")}
        | {
            "ecs/modules/service/main.tf": (
                *('dynamic "deployment_configuration"', 'dynamic "advanced_configuration"', "sigint_rollback"),
                *('dynamic "test_traffic_rules"', 'dynamic "predictive_scaling_policy_configuration"'),
            )
        },
        {r"(?m)^ *region *= var\.region\n": "", r'(?s) *provider_meta "aws" \{.*?\n  \}\n': ""}
        | {r"(aws_region\.current(?:\[0\])?)\.region": r"\1.name"}
        | _ANY_VERSION,
    ),
    "inline": Source(("fargate/main.tf", "modules/inline.tf", "modules/inline_override.tf")),
}


def make(name: str) -> str:
    """The state of `SOURCES[name]` as text: one resource a line, without what only Terraform itself reads."""
    source = SOURCES[name]
    with tempfile.TemporaryDirectory() as temporary:
        folder, state = Path(temporary) / "terraform", Path(temporary) / "sandbox"
        folder.mkdir()
        for file in source.files:
            shutil.copy(HERE / file, folder)
        for module, tag in source.modules.items():
            _clone(module, tag, folder / module)
        for path in folder.glob("*/**/*.tf"):
            path.write_text(
                _fitted(path.read_text(encoding="utf-8"), path.relative_to(folder), source), encoding="utf-8"
            )
        provider = terraform_provider.find()
        if provider is None:
            raise SystemExit("The official AWS provider is not on this machine")
        provider.write_configuration(folder / "terraform.rc")
        sandbox = Sandbox("prod", state=state, policy_pack=None, run_atlantis=False)
        try:
            local_aws.start(state, clean_environment())
            environment = {**sandbox.environment(), "TF_CLI_CONFIG_FILE": str(folder / "terraform.rc")}
            for command in (["init"], ["apply", "-auto-approve"]):
                subprocess.run(["terraform", f"-chdir={folder}", *command, "-input=false"], env=environment, check=True)
        finally:
            processes.stop_all(state)
        pulled = json.loads((folder / "terraform.tfstate").read_text(encoding="utf-8"))
    if "5.1.0" in name:
        _written_by_version_6(pulled)
    return "".join(_lines(pulled))


def _clone(module: str, tag: str, folder: Path) -> None:
    owner = "cloudposse" if module == "ecs-container-definition" else "terraform-aws-modules"
    quiet = ["-c", "advice.detachedHead=false", "clone", "--quiet", "--depth=1", f"--branch={tag}"]
    subprocess.run(["git", *quiet, GITHUB.format(owner, module), str(folder)], check=True)
    shutil.rmtree(folder / "examples", ignore_errors=True)


def _fitted(text: str, path: Path, source: Source) -> str:
    """A clone's file, with the other clones as its modules and without what the provider doesn't have."""
    up = "../" * (len(path.parts) - 1)
    text = SOURCE.sub(lambda found: f'source = "{up}{found[1]}{found[2] or ""}"\n', text)
    for pattern, replacement in source.replaced.items():
        text = re.sub(pattern, replacement, text)
    for name in source.left_out.get(str(path), ()):
        text = _without(text, name)
    return text


def _without(text: str, name: str) -> str:
    """`text` without the blocks and the arguments `name`, and without what is in their braces."""
    kept: list[str] = []
    depth = 0
    for line in text.splitlines(keepends=True):
        if depth or re.match(rf"\s*{re.escape(name)}\s*[={{]", line):
            depth += sum(line.count(opened) for opened in "{[(") - sum(line.count(closed) for closed in "}])")
        else:
            kept.append(line)
    return "".join(kept)


def _written_by_version_6(state: dict[str, Any]) -> None:
    """Version 6 of the provider writes the region of each regional resource."""
    for resource in state["resources"]:
        if not resource["type"].startswith(("aws_iam_", "aws_route53_")):
            for instance in resource["instances"]:
                instance["attributes"]["region"] = local_aws.REGION


def _lines(state: Mapping[str, Any]) -> Iterator[str]:
    head = {name: state[name] for name in ("version", "terraform_version", "serial", "lineage")} | {"outputs": {}}
    yield f'{json.dumps(head)[:-1]}, "resources": [\n'
    lines = []
    for resource in state["resources"]:
        instances = [{name: value for name, value in i.items() if name != "private"} for i in resource["instances"]]
        lines.append(json.dumps({**resource, "instances": instances}, separators=(",", ":")))
    yield ",\n".join(lines)
    yield "\n]}\n"


if __name__ == "__main__":
    for chosen in sys.argv[1:] or SOURCES:
        (CARRIED / f"{chosen}.tfstate").write_text(make(chosen), encoding="utf-8")
