"""What `WRITE=1` changes: the settings in the stack file, line by line, and the stack's section of `adoption.yaml`."""

import re
import shlex
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from adoption.changes import Adopted
from adoption.proposal import Proposal
from components.settings.stack_file import StackFileError, read_config

NAMESPACE = "atlantis:"
HEADER = """\
# Written by `make adopt` (docs/adoption.md). `import`: delete it when `pulumi up` has adopted all resources. `keep`: these
# properties keep their old value. Without this section, the next `pulumi up` would change them or replace their resources.
"""
REMOVED_HEADER = """\
# Written by `make adopt` (docs/adoption.md, step 5), for Terraform 1.7 or newer. These resources stay in AWS, and their modules also
# have resources that Terraform must forget. Without the call of its module, Terraform would destroy a resource that has no block here.
"""
STATE_RM_HEADER = """\
#!/bin/sh
# Written by `make adopt` (docs/adoption.md, step 5). Run it in the directory of the Terraform configuration.
set -eu
"""


def read_settings(path: Path) -> tuple[dict[str, Any], str]:
    """The stack file's settings by key (without the namespace), and the value of `aws:region`.

    Raises:
        StackFileError: the file doesn't exist, or is not a stack file.
    """
    config = read_config(path)
    encrypted = [key for key, value in config.items() if isinstance(value, dict) and "secure" in value]
    if encrypted:
        raise StackFileError(
            f"{path.name} has encrypted settings ({', '.join(encrypted)}), which only the engine can read: this program keeps "
            "secrets in Secrets Manager, so set them in plaintext"
        )
    own = {key.removeprefix(NAMESPACE): value for key, value in config.items() if str(key).startswith(NAMESPACE)}
    return own, str(config.get("aws:region") or "")


def write_settings(path: Path, proposals: Iterable[Proposal]) -> None:
    """Write the proposals to the stack file. Comments and other settings don't change.

    Raises:
        StackFileError: the file's layout can't be edited line by line. The file is not changed.
    """
    text = path.read_text(encoding="utf-8")
    wanted = yaml.safe_load(text)
    lines = text.splitlines(keepends=True)
    for proposal in proposals:
        key = f"{NAMESPACE}{proposal.key}"
        wanted["config"].pop(key, None)
        if proposal.value is not None:
            wanted["config"][key] = proposal.value
        lines = _with_setting(lines, key, proposal.value)
    changed = "".join(lines)
    try:
        found = yaml.safe_load(changed)
    except yaml.YAMLError:
        found = None
    if found != wanted:
        raise StackFileError(
            f"{path.name} has a layout that can't be edited automatically: set the proposed settings yourself"
        )
    path.write_text(changed, encoding="utf-8")


def _with_setting(lines: list[str], key: str, value: Any) -> list[str]:
    """`lines` with the block of `key` replaced, removed (None), or appended to `config`."""
    block = [] if value is None else [f"  {line}\n" for line in yaml.safe_dump({key: value}, width=1000).splitlines()]
    start = next((index for index, line in enumerate(lines) if re.match(rf'  "?{re.escape(key)}"?:', line)), None)
    if start is None:
        end = next(index for index, line in enumerate(lines) if line.startswith("config:")) + 1
        while end < len(lines) and (lines[end].startswith((" ", "#")) or not lines[end].strip()):
            end += 1
        if end and not lines[end - 1].endswith("\n"):
            lines[end - 1] += "\n"
        return [*lines[:end], *block, *lines[end:]]
    end = start + 1
    while end < len(lines) and re.match(r"   +\S|  - ", lines[end]):
        end += 1
    return [*lines[:start], *block, *lines[end:]]


def section(adopted: Iterable[Adopted]) -> dict[str, dict[str, Any]]:
    """A stack's section of `adoption.yaml`."""
    ordered = sorted(adopted, key=lambda item: item.pair.wanted.name)
    return {
        "import": {item.pair.wanted.name: item.pair.import_id for item in ordered},
        "keep": {item.pair.wanted.name: sorted(item.kept) for item in ordered if item.kept},
    }


def write_state_rm(path: Path, addresses: Iterable[str]) -> None:
    """Write a script that removes exactly `addresses` from Terraform's state, without destroying anything."""
    lines = " \\\n".join(f"  {shlex.quote(address)}" for address in addresses)
    path.write_text(f"{STATE_RM_HEADER}terraform state rm \\\n{lines}\n", encoding="utf-8")
    path.chmod(0o755)


def removed_blocks(blocks: Collection[str]) -> str:
    """A Terraform file with which Terraform forgets the resources of `blocks`, and destroys none of them."""
    return REMOVED_HEADER + "".join(
        f"\nremoved {{\n  from = {block}\n  lifecycle {{\n    destroy = false\n  }}\n}}\n" for block in blocks
    )


def write_adoption(path: Path, stack: str, content: Mapping[str, Any]) -> None:
    """Write the section of `stack` to `path`. The sections of other stacks don't change."""
    document = (yaml.safe_load(path.read_text(encoding="utf-8")) if path.exists() else None) or {}
    document[stack] = dict(content)
    path.write_text(HEADER + yaml.safe_dump(document, width=1000, sort_keys=True), encoding="utf-8")
