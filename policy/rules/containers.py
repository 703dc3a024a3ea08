"""containers: what runs is a known image, without rights over its host."""

import re
from typing import Any, Final

from rules.configuration import Option
from rules.resources import Resource
from rules.rule import Findings, Rule
from rules.task_definitions import containers
from rules.values import UNKNOWN, at, mappings, sequence, text, truth

__all__ = ["RULE"]

_ROOT_USERS: Final = ("0", "root")
# Linux capabilities that lead out of a container; Docker gives none of them by itself.
_HOST_CAPABILITIES: Final = frozenset(
    {"ALL", "BPF", "DAC_READ_SEARCH", "MAC_ADMIN", "MAC_OVERRIDE", "NET_ADMIN", "PERFMON", "SYSLOG", "SYS_ADMIN"}
    | {"SYS_BOOT", "SYS_MODULE", "SYS_PTRACE", "SYS_RAWIO", "SYS_TIME"}
)
_HOST_PATHS: Final = re.compile(
    r"/(var/run/|run/)?(docker|containerd/containerd|crio/crio)\.sock|/(etc|proc|root|sys|dev|boot)?/?"
)
_OLD_PLATFORMS: Final = ("1.0.0", "1.1.0", "1.2.0", "1.3.0")


def _task(resource: Resource, findings: Findings) -> None:
    for path, container in containers(resource, findings, "task-content"):
        _image(resource, path, container, findings)
        _isolation(resource, path, container, findings)
    for path, mode in (("networkMode", "host"), ("pidMode", "host"), ("ipcMode", "host")):
        if resource.at(path) == mode:
            findings.violation(
                resource,
                "host-isolation",
                f"{path} host shares it with the machine",
                f"leave {path} out, or use awsvpc",
            )
    _host_volumes(resource, findings)
    execution, task = resource.at("executionRoleArn"), resource.at("taskRoleArn")
    if text(execution) is not None and execution == task:
        findings.violation(
            resource,
            "separate-roles",
            "the execution role is the task role, so the program may read all that the agent may",
            "give the task a role of its own in taskRoleArn",
        )


def _host_volumes(resource: Resource, findings: Findings) -> None:
    for index, volume in mappings(resource.at("volumes")):
        path = text(volume.get("hostPath"))
        if path is not None and _HOST_PATHS.fullmatch(path):
            what = f"volumes[{index}] mounts the host's container engine or system files"
            findings.violation(resource, "host-isolation", what, "remove the volume")


def _image(resource: Resource, path: str, container: dict[str, Any], findings: Findings) -> None:
    image = text(container.get("image"))
    if image is None or "@sha256:" in image:
        return
    _, colon, tag = image.rpartition("/")[2].partition(":")
    if not colon or tag == "latest":
        findings.violation(
            resource,
            "pinned-image",
            f"{path}.image has {'the tag latest' if colon else 'no tag, which means latest'}",
            "name a version, better a digest (@sha256:...)",
        )


def _isolation(resource: Resource, path: str, container: dict[str, Any], findings: Findings) -> None:
    if truth(container.get("privileged")):
        what = f"{path} runs privileged, with the rights of its host"
        findings.violation(resource, "host-isolation", what, "remove privileged")
    added = sequence(at(container, "linuxParameters.capabilities.add"))
    dangerous = sorted(
        name for name in {str(each).upper().removeprefix("CAP_") for each in added} if name in _HOST_CAPABILITIES
    )
    if dangerous:
        what = f"{path} adds the capabilities {', '.join(dangerous)}, which lead to its host"
        findings.violation(resource, "host-isolation", what, "remove them from linuxParameters.capabilities.add")
    user = container.get("user")
    name = str(user).partition(":")[0] if isinstance(user, str | int) and not isinstance(user, bool) else ""
    if not name or name in _ROOT_USERS or (name.isdigit() and int(name[:9]) == 0):
        findings.violation(
            resource,
            "non-root-user",
            f"{path} runs as root, or as whatever user its image sets",
            f"set {path}.user to a user other than root",
        )
    if findings.settings.flag("readOnlyRoot") and not truth(container.get("readonlyRootFilesystem")):
        findings.violation(
            resource,
            "read-only-root",
            f"{path} can change its own root file system",
            "set readonlyRootFilesystem to true and mount a volume where it must write",
        )


def _service(resource: Resource, findings: Findings) -> None:
    if resource.at("platformVersion") in _OLD_PLATFORMS:
        findings.violation(
            resource,
            "platform-version",
            "platformVersion pins an old Fargate platform",
            "set it to LATEST, or leave it out",
        )


def _repository(resource: Resource, findings: Findings) -> None:
    mutability = resource.at("imageTagMutability")
    if mutability is UNKNOWN:
        findings.not_evaluated(resource, "immutable-tags", "imageTagMutability")
    elif mutability not in ("IMMUTABLE", "IMMUTABLE_WITH_EXCLUSION"):
        findings.violation(
            resource,
            "immutable-tags",
            "a tag can be moved to another image",
            "set imageTagMutability to IMMUTABLE",
        )


RULE: Final = Rule(
    name="containers",
    title="Images and containers",
    description="Images are pinned and immutable; containers run without rights over their host.",
    why=(
        "A tag that moves is a deployment that nobody approved. And a container that runs as root, privileged or in its"
        " host's name spaces is one vulnerability away from the machine, the other tasks and the role of the agent."
    ),
    severity="high",
    level="advisory",
    controls=("ECR.2", "ECS.3", "ECS.4", "ECS.5", "ECS.10", "ECS.17", "ECS.20"),
    remediation="Pin the image by version or digest; set the property of the container that the message names.",
    checks={
        "pinned-image": "Images carry a version or a digest, not `latest` and not nothing.",
        "immutable-tags": "ECR repositories don't let tags move.",
        "host-isolation": "No privileged container, no host name space, engine socket or capability that leads to the host.",
        "non-root-user": "Containers run as a user other than root.",
        "read-only-root": "The root file system is read-only, where `readOnlyRoot` is true.",
        "separate-roles": "Task role and execution role differ.",
        "platform-version": "Services don't pin an old Fargate platform.",
        "task-content": "The container definitions can be read.",
    },
    by_type={
        "ecs/taskDefinition": (_task,),
        "ecs/service": (_service,),
        "ecr/repository": (_repository,),
    },
    settings=(
        Option("readOnlyRoot", "flag", default=True, description="Require a read-only root file system (ECS.5)."),
    ),
)
