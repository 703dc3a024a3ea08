"""containers: images are pinned, and containers can't control their host."""

import re
from typing import Any, Final

from evaluation.aws.task_definitions import containers
from evaluation.configuration import Option
from evaluation.resources import Resource
from evaluation.rule import Findings, Rule
from evaluation.values import UNKNOWN, at, mappings, sequence, text, truth

_ROOT_USERS: Final = ("0", "root")
# Linux capabilities that allow an escape from the container; Docker doesn't add any of them by default.
_HOST_CAPABILITIES: Final = frozenset(
    {"ALL", "BPF", "DAC_READ_SEARCH", "MAC_ADMIN", "MAC_OVERRIDE", "NET_ADMIN", "PERFMON", "SYSLOG", "SYS_ADMIN"}
    | {"SYS_BOOT", "SYS_MODULE", "SYS_PTRACE", "SYS_RAWIO", "SYS_TIME"}
)
_HOST_PATHS: Final = re.compile(
    r"/(var/run/|run/)?(docker|containerd/containerd|crio/crio)\.sock|/(etc|proc|root|sys|dev|boot)?/?"
)
_OWN_REGISTRY: Final = re.compile(r"\d{12}\.dkr[.-]ecr[\w.-]*/")
_OLD_PLATFORMS: Final = ("1.0.0", "1.1.0", "1.2.0", "1.3.0")


def _task(resource: Resource, findings: Findings) -> None:
    for path, container in containers(resource, findings, "task-content"):
        _image(resource, path, container, findings)
        _isolation(resource, path, container, findings)
    for path in ("networkMode", "pidMode", "ipcMode"):
        if resource.at(path) == "host":
            what = f"{path} is host, so containers share the host's namespace"
            findings.violation(resource, "host-isolation", path, what, f"remove {path}, or for networkMode set awsvpc")
    _host_volumes(resource, findings)
    execution, task = resource.at("executionRoleArn"), resource.at("taskRoleArn")
    if text(execution) is not None and execution == task:
        what = "executionRoleArn and taskRoleArn are the same role, so the application has the ECS agent's permissions"
        remedy = "set taskRoleArn to a separate role"
        findings.violation(resource, "separate-roles", "taskRoleArn", what, remedy)


def _host_volumes(resource: Resource, findings: Findings) -> None:
    for index, volume in mappings(resource.at("volumes")):
        path = text(volume.get("hostPath"))
        if path is not None and _HOST_PATHS.fullmatch(path):
            what = f"volumes[{index}].hostPath is the socket of the host's container engine or a system directory"
            findings.violation(resource, "host-isolation", f"volumes[{index}].hostPath", what, "remove the volume")


def _image(resource: Resource, path: str, container: dict[str, Any], findings: Findings) -> None:
    image = text(container.get("image"))
    if image is None or "@sha256:" in image:
        return
    if findings.settings.flag("requireDigest") and not _OWN_REGISTRY.match(image):
        what = f"{path}.image has no digest, and only the owner of its registry decides what its tag is"
        remedy = "use a digest (@sha256:...), or a repository of Amazon ECR with immutable tags"
        findings.violation(resource, "pinned-image", f"{path}.image", what, remedy, value=image.rpartition(":")[0])
        return
    _, colon, tag = image.rpartition("/")[2].partition(":")
    if not colon or tag == "latest":
        what = f"{path}.image has {'the tag latest' if colon else 'no tag, so latest is used'}"
        remedy = "use a version tag, or preferably a digest (@sha256:...)"
        findings.violation(resource, "pinned-image", f"{path}.image", what, remedy, value=image.rpartition(":")[0])


def _isolation(resource: Resource, path: str, container: dict[str, Any], findings: Findings) -> None:
    if truth(container.get("privileged")):
        what = f"{path}.privileged is true, so the container has root access to its host"
        findings.violation(resource, "host-isolation", f"{path}.privileged", what, f"remove {path}.privileged")
    added = sequence(at(container, "linuxParameters.capabilities.add"))
    dangerous = sorted(
        name for name in {str(each).upper().removeprefix("CAP_") for each in added} if name in _HOST_CAPABILITIES
    )
    if dangerous:
        what = f"{path} adds the capabilities {', '.join(dangerous)}, which allow access to its host"
        remedy = f"remove them from {path}.linuxParameters.capabilities.add"
        findings.violation(resource, "host-isolation", f"{path}.linuxParameters.capabilities.add", what, remedy)
    user = container.get("user")
    name = str(user).partition(":")[0] if isinstance(user, str | int) and not isinstance(user, bool) else ""
    if not name or name in _ROOT_USERS or (name.isdigit() and int(name[:9]) == 0):
        what = f"{path}.user is {'root' if name else 'not set'}, so the container may run as root"
        remedy = f"set {path}.user to a non-root user"
        findings.violation(resource, "non-root-user", f"{path}.user", what, remedy)
    if findings.settings.flag("readOnlyRoot") and not truth(container.get("readonlyRootFilesystem")):
        what = f"{path}.readonlyRootFilesystem isn't true, so the container can change its root file system"
        remedy = f"set {path}.readonlyRootFilesystem to true, and mount a volume for the files that it writes"
        findings.violation(resource, "read-only-root", f"{path}.readonlyRootFilesystem", what, remedy)


def _service(resource: Resource, findings: Findings) -> None:
    if resource.at("platformVersion") in _OLD_PLATFORMS:
        what = f"platformVersion is {resource.at('platformVersion')}, an old Fargate platform version"
        remedy = "set platformVersion to LATEST, or remove it"
        findings.violation(resource, "platform-version", "platformVersion", what, remedy)


def _repository(resource: Resource, findings: Findings) -> None:
    mutability = resource.at("imageTagMutability")
    if mutability is UNKNOWN:
        findings.not_evaluated(resource, "immutable-tags", "imageTagMutability")
    elif mutability not in ("IMMUTABLE", "IMMUTABLE_WITH_EXCLUSION"):
        what = "imageTagMutability isn't IMMUTABLE, so a push can move a tag to another image"
        remedy = "set imageTagMutability to IMMUTABLE"
        findings.violation(resource, "immutable-tags", "imageTagMutability", what, remedy)


RULE: Final = Rule(
    name="containers",
    title="Images and containers",
    description="Images are pinned and immutable, and containers can't control their host.",
    why=(
        "If a tag moves to another image, the next task runs code that nobody approved. From a container that runs as root,"
        " privileged or in its host's namespaces, a single vulnerability is enough to reach the host, other tasks and the"
        " agent's role."
    ),
    severity="high",
    level="advisory",
    controls=("ECR.2", "ECS.3", "ECS.4", "ECS.5", "ECS.10", "ECS.17", "ECS.20"),
    remediation="Pin the image to a version or digest, and set the container property that the message names.",
    checks={
        "pinned-image": "Images have a version tag other than `latest`, or a digest; with `requireDigest`, those outside of Amazon ECR a "
        "digest.",
        "immutable-tags": "ECR repositories have immutable tags.",
        "host-isolation": "Containers have no privileged mode, host namespace, engine socket or capability that exposes the host.",
        "non-root-user": "Containers run as a non-root user.",
        "read-only-root": "The root file system is read-only, if `readOnlyRoot` is true.",
        "separate-roles": "Task role and execution role differ.",
        "platform-version": "Services don't use an old Fargate platform version.",
        "task-content": "Container definitions can be evaluated.",
    },
    by_type={"ecs/taskDefinition": (_task,), "ecs/service": (_service,), "ecr/repository": (_repository,)},
    settings=(
        Option("requireDigest", "flag", default=False, description="Require a digest of images outside of Amazon ECR."),
        Option("readOnlyRoot", "flag", default=True, description="Require a read-only root file system (ECS.5)."),
    ),
)
