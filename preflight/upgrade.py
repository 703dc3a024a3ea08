"""Show which server runs, which one the stack file names, what differs between the two, and how to go back.

Exit code 0: the image that the stack file names can be deployed. 1: it can't, with the reason. 2: a call to AWS failed.
"""

import json
import re
import subprocess
import sys
from pathlib import Path

from components.settings.schema import known
from preflight import image
from preflight.deployment import PROJECT, Deployment
from preflight.errors import FailedError, UnmetError
from preflight.printed import parser, print_document

_FLAGS = "components/configuration/server_flags.json"
_RELEASE = "https://github.com/runatlantis/atlantis/releases/tag"


def main() -> int:
    """Run the command."""
    return print_document(parser("preflight.upgrade", __doc__).parse_args(), report)


def report(deployment: Deployment) -> tuple[str, bool]:
    """The report, and whether the image can be deployed."""
    running, task = _running(deployment)
    wanted = known(deployment.settings.task.image) or deployment.settings.task.image_tag
    before, after = _version(running), _version(wanted)
    lines = [f"runs      {running}, {task}", f"pinned    {wanted}"]
    ready = True
    for check in image.CHECKS:
        try:
            lines.append(f"image     {check.function(deployment)}")
        except UnmetError as unmet:
            lines += [f"image     {unmet.message}", *([f"next      {unmet.remedy}"] if unmet.remedy else [])]
            ready = not isinstance(unmet, FailedError)
            break
    if before == after:
        lines.append(f"server    {after} in both: flags and rules stay the same")
    else:
        lines.append(f"server    {before} -> {after}: {_RELEASE}/{after} and the releases between them")
        lines += [f"flags     {change}" for change in flag_changes(before, after)]
    tag = running.rpartition(":")[2]
    setting = ("image", running) if known(deployment.settings.task.image) else ("imageTag", tag)
    back = f"pulumi config set atlantis:{setting[0]} {setting[1]} --stack {deployment.stack}, and deploy"
    return "\n".join([*lines, f"back      {back}"]), ready


def _running(deployment: Deployment) -> tuple[str, str]:
    """The image of the service's task definition, and what runs of it."""
    service = deployment.service(deployment.names.base)
    found = deployment.aws.read("ecs", "describe_task_definition", taskDefinition=service["taskDefinition"])
    definition, tasks = found["taskDefinition"], f"{service['runningCount']} of {service['desiredCount']} tasks run"
    return definition["containerDefinitions"][0]["image"], f"task definition {definition['revision']}, {tasks}"


def _version(reference: str) -> str:
    found = re.search(r"v\d+\.\d+\.\d+", reference)
    return found[0] if found else "unknown version"


def flag_changes(before: str, after: str, folder: Path = PROJECT) -> list[str]:
    """The flags that one server has and the other lacks, from the generated lists in the repository's history."""
    lists = _lists(folder)
    if lacking := [version for version in (before, after) if version not in lists]:
        return [f"{_FLAGS} has no list of {', '.join(lacking)}: compare `atlantis server --help` of both images"]
    old, new = lists[before], lists[after]
    added = [f"new: {name} ({kind})" for name, kind in new.items() if name not in old]
    removed = [f"removed: {name}" for name in old if name not in new]
    changed = [
        f"changed: {name} is {new[name]}, was {old[name]}" for name in old if new.get(name, old[name]) != old[name]
    ]
    return [*removed, *changed, *added] or ["the same"]


def _lists(folder: Path) -> dict[str, dict[str, str]]:
    """The flags with their types by the server's version: of this checkout, and of the commits before."""
    texts = [(folder / _FLAGS).read_text(encoding="utf-8")]
    log = subprocess.run(
        ["git", "log", "--format=%H", "--", _FLAGS], cwd=folder, capture_output=True, text=True, check=False
    )
    for commit in log.stdout.split():
        shown = subprocess.run(
            ["git", "show", f"{commit}:{_FLAGS}"], cwd=folder, capture_output=True, text=True, check=False
        )
        texts += [shown.stdout] if shown.returncode == 0 else []
    found = [json.loads(text) for text in texts]
    return {each["version"]: each["flags"] for each in reversed(found)}


if __name__ == "__main__":
    sys.exit(main())
