"""What becomes of the running task definition: each variable, secret, container and property is kept, replaced or lost.

What is lost stops the adoption until it is accepted by name, because the server would change without a message.
"""

import fnmatch
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from adoption.anatomy import Anatomy
from adoption.containers import server_flags
from adoption.properties import Resolve, same
from adoption.running_containers import extra_container, lost_with, others
from adoption.running_secrets import reference_of
from adoption.running_vcs import credentials_setting, missing_settings, other_hosts
from components.configuration.secret_names import looks_secret
from components.configuration.server_configuration import API_SECRET, FLAGS, OWNED, SECRET, VERSION, flag_of
from components.configuration.vcs import APP, KINDS

KEPT, REPLACED, LOST = "kept", "replaced", "lost"

ON_BY_DEFAULT = ("tf-download", "use-tf-plugin-cache")
"""The boolean flags of the server whose default is true (cmd/server.go of Atlantis)."""
PROVIDERS = ("gh-user", "gh-token", "gh-token-file")

REPLACED_IN_CONTAINER: Mapping[str, str] = yaml.safe_load(Path(__file__).with_suffix(".yaml").read_text("utf-8"))
LOST_OF_TASK = (
    *("inference_accelerator", "ipc_mode", "pid_mode", "placement_constraints", "proxy_configuration"),
    "enable_fault_injection",
)
"""Properties of the task definition beyond its containers, roles, sizes and volumes, which the program doesn't have."""


@dataclass(frozen=True)
class Item:
    """One part of the running task definition. No value of a secret is in it."""

    name: str
    """As `--accept-lost` takes it, with * as a wildcard: a variable, `container:<name>`, `container.<property>`, `task.<property>`, or
    `right:<service or policy>`."""
    result: str
    why: str = ""


def inventory(anatomy: Anatomy, wanted: Mapping[str, Any], settings: Mapping[str, Any], resolve: Resolve) -> list[Item]:
    """The result for each part of the running task definition.

    Args:
        anatomy: the running stack.
        wanted: the inputs of the program's task definition.
        settings: the stack's settings with the proposals applied.
        resolve: resolves references in `wanted` to values of the state.
    """
    server = next(item for item in json.loads(wanted["containerDefinitions"]) if item["name"] == "atlantis")
    return [
        *_variables(anatomy, server, settings),
        *_secrets(anatomy, server, settings),
        *_container(anatomy, server, resolve),
        *(_other(container, settings, anatomy.region) for container in others(anatomy)),
        *_task(anatomy, wanted),
        *_service(anatomy),
        *_sign_in(anatomy, settings),
    ]


def problem(items: Collection[Item], accepted: Collection[str]) -> Iterator[str]:
    """The problem with parts that are lost and not accepted, and with accepted names that aren't lost."""
    lost = {item.name: item for item in items if item.result == LOST}
    for name in sorted(name for name in set(accepted) if not fnmatch.filter(lost, name)):
        listed = ", ".join(sorted(lost)) or "nothing"
        yield f"ACCEPT_LOST: {name!r} isn't lost by this adoption; lost: {listed}"
    missing = [item for name, item in lost.items() if not any(fnmatch.fnmatchcase(name, each) for each in accepted)]
    if missing:
        rows = "".join(f"\n      {item.name}: {item.why}" for item in missing)
        rights = (
            ". Rights of an inline policy stay if it becomes an aws_iam_policy that Terraform attaches to the role: apply, pull the state "
            "again, and additionalPolicyArns is proposed"
        )
        more = rights if any(item.name.startswith("right:") for item in missing) else ""
        yield (
            f"The adoption would lose {len(missing)} part{'s' if len(missing) > 1 else ''} of the running server and its role:{rows}\n    "
            f'Set what is named, or accept the loss: ACCEPT_LOST="{" ".join(item.name for item in missing)}"{more}'
        )


def _variables(anatomy: Anatomy, server: Mapping[str, Any], settings: Mapping[str, Any]) -> Iterator[Item]:
    new = {item["name"]: item["value"] for item in server["environment"]}
    for name, value in anatomy.environment.items():
        if name in new and (str(new[name]) == value or same(new[name], value, str)):
            yield Item(name, KEPT)
        elif not name.startswith("ATLANTIS_"):
            why = (
                "it looks like a secret: store it in Secrets Manager, and name it in secretEnvironment"
                if looks_secret(name, value)
                else "environmentVariables doesn't accept this name or value"
            )
            yield Item(name, *((REPLACED, "environmentVariables of the stack file") if name in new else (LOST, why)))
        elif value == "":
            yield Item(name, REPLACED, "empty: no effect")
        else:
            yield _flag(anatomy, name, value, settings, new)


def _flag(anatomy: Anatomy, name: str, value: str, settings: Mapping[str, Any], new: Mapping[str, Any]) -> Item:
    """A variable of the server, whose value differs from the program's."""
    flag = flag_of(name)
    found = _of_the_kind(flag, value, new.get(name), settings)
    found = found or _set_by_the_program(flag, settings) or _of_no_use(anatomy, flag, value, settings)
    if found is None and SECRET.fullmatch(flag):
        found = LOST, f"store the value in Secrets Manager and set serverSecrets to {flag}=<secret>:<key>"
    elif found is None and name in new:
        found = REPLACED, "serverConfigFile of the stack file"
    elif found is None:
        shown = value if len(value) <= _SHOWN else "<its value>"
        file = settings.get("serverConfigFile")
        into = f"to {file}" if file else "to a YAML file in this repository, and set serverConfigFile to its path"
        found = LOST, f"add `{flag}: {shown}` {into}"
    return Item(name, *found)


def _of_the_kind(flag: str, value: str, wanted: Any, settings: Mapping[str, Any]) -> tuple[str, str] | None:
    """Result and reason of a flag that the program sets for the host of the repositories: to `wanted`, or from a secret (None)."""
    name = settings.get("vcsKind", APP)
    kind = KINDS[name]
    if flag in kind.secret_flags or (flag == "gh-token-file" and "gh-token" in kind.secret_flags):
        return REPLACED, f"the secret of {credentials_setting(name)} has it"
    if flag == kind.webhook_flag:
        return REPLACED, "the secret of webhookSecretName has it"
    if flag in kind.fixed:
        return LOST, f"it is {kind.fixed[flag]}: change it where the events are sent"
    if flag == kind.host_flag:
        setting = "githubHostname" if flag == "gh-hostname" else "vcsHost"
        return (KEPT, "") if value.rstrip("/") == wanted else (LOST, f"set {setting} and the ranges of its webhooks")
    if flag == kind.user_flag:
        return (REPLACED, "vcsUser of the stack file") if settings.get("vcsUser") else (LOST, "set vcsUser")
    return None


def _set_by_the_program(flag: str, settings: Mapping[str, Any]) -> tuple[str, str] | None:
    """Result and reason of a flag that the program sets itself; None for any other."""
    if flag in ("repo-config", "repo-config-json"):
        if settings.get("repoConfigFile"):
            return REPLACED, "repoConfigFile of the stack file"
        return LOST, (
            "the program has its own rules (approved, mergeable, undiverged): save the running ones as a YAML file in this "
            "repository and set repoConfigFile to its path"
        )
    if flag in PROVIDERS:
        return LOST, f"{OWNED[flag]} (docs/vcs.md), or use a GitHub App"
    return (REPLACED, OWNED[flag]) if flag in OWNED else None


def _of_no_use(anatomy: Anatomy, flag: str, value: str, settings: Mapping[str, Any]) -> tuple[str, str] | None:
    """Result and reason of a flag for another host, of another version or at its default; None for any other."""
    if flag.startswith(_others(settings)):
        return _of_another_host(anatomy, flag)
    if flag in FLAGS:
        is_default = FLAGS[flag] == "boolean" and value == str(flag in ON_BY_DEFAULT).lower()
        return (KEPT, "") if is_default else None
    nothing = f"Atlantis {VERSION} has no such flag"
    return (REPLACED, f"{nothing}, and it is off") if value == "false" else (LOST, nothing)


def _of_another_host(anatomy: Anatomy, flag: str) -> tuple[str, str]:
    missing = missing_settings(anatomy, flag)
    why = f"the program's server has one host of repositories: {missing} (docs/vcs.md)"
    return (LOST, why) if missing else (REPLACED, "no effect without a user of that host")


def _others(settings: Mapping[str, Any]) -> tuple[str, ...]:
    return other_hosts(settings.get("vcsKind", APP))


_SHOWN = 60
_STORE = "store it in Secrets Manager as a JSON key, and set "


def _secrets(anatomy: Anatomy, server: Mapping[str, Any], settings: Mapping[str, Any]) -> Iterator[Item]:
    new = {item["name"]: item["valueFrom"] for item in server["secrets"]}
    for name, reference in anatomy.secrets.items():
        if name in new:
            found = reference_of(anatomy, reference)
            is_same = found is not None and reference_of(anatomy, str(new[name])) == found
            yield Item(name, KEPT) if is_same else Item(name, REPLACED, "another secret of the stack: fill it first")
        elif name.startswith("ATLANTIS_"):
            yield Item(name, *_secret_flag(anatomy, flag_of(name), settings))
        else:
            yield Item(name, LOST, f"{_STORE}secretEnvironment to {name}=<secret>:<key>")


def _secret_flag(anatomy: Anatomy, flag: str, settings: Mapping[str, Any]) -> tuple[str, str]:
    """Result and reason of a flag from a secret that the program's server doesn't read."""
    if result := _of_the_kind(flag, "", None, settings):
        return result
    if flag in PROVIDERS:
        return LOST, OWNED[flag]
    if flag.startswith(_others(settings)):
        return _of_another_host(anatomy, flag)
    if flag in OWNED:
        return REPLACED, OWNED[flag]
    if flag not in FLAGS:
        return LOST, f"Atlantis {VERSION} has no such flag"
    return (
        LOST,
        f"{_STORE}serverSecrets to {flag}=<secret>:<key>{', and allowApi to true' if flag == API_SECRET else ''}",
    )


def _container(anatomy: Anatomy, server: Mapping[str, Any], resolve: Resolve) -> Iterator[Item]:
    for name, value in anatomy.container.items():
        if name in ("environment", "secrets") or not _is_set(value):
            continue
        if name in server and same(server[name], value, resolve):
            yield Item(f"container.{name}", KEPT)
        elif name in REPLACED_IN_CONTAINER and _is_replaceable(name, value, anatomy):
            yield Item(f"container.{name}", REPLACED, REPLACED_IN_CONTAINER[name])
        else:
            yield Item(f"container.{name}", LOST, "the program has no such property of the server's container")


def _other(container: Mapping[str, Any], settings: Mapping[str, Any], region: str) -> Item:
    """A container next to the server's, which the setting keeps under its name."""
    name = f"container:{container.get('name')}"
    if any(each["name"] == container.get("name") for each in settings.get("extraContainers") or []):
        return Item(name, REPLACED, f"extraContainers; {lost_with(container)}")
    found = extra_container(container, region)
    return Item(name, LOST, found if isinstance(found, str) else "name it in extraContainers")


def _is_set(value: Any) -> bool:
    """Whether a value, or any value in it, is set."""
    if isinstance(value, Mapping):
        return any(map(_is_set, value.values()))
    return any(map(_is_set, value)) if isinstance(value, list) else bool(value)


def _is_replaceable(name: str, value: Any, anatomy: Anatomy) -> bool:
    """Whether the program's value has the same purpose: a command with flags, another volume or log driver doesn't."""
    if name in ("command", "entryPoint"):
        return server_flags(anatomy.container) is not None
    if name == "logConfiguration":
        return isinstance(value, Mapping) and value.get("logDriver") == "awslogs"
    if name == "mountPoints":
        return isinstance(value, list) and len(value) == 1 and bool(anatomy.volume)
    return True


def _task(anatomy: Anatomy, wanted: Mapping[str, Any]) -> Iterator[Item]:
    task = anatomy.task
    for name in filter(lambda name: _is_set(task.get(name)), LOST_OF_TASK):
        yield Item(f"task.{name}", LOST, "the program has no such property of the task")
    if _is_set(task.get("ephemeral_storage")):
        size = task.first("ephemeral_storage").get("size_in_gib")
        is_same = (wanted.get("ephemeralStorage") or {}).get("sizeInGib", 20) == size
        name = "task.ephemeral_storage"
        yield Item(name, KEPT) if is_same else Item(name, REPLACED, "ephemeralStorage")
    for volume in task.items_of("volume"):
        if volume.get("efs_volume_configuration") != [anatomy.volume]:
            yield Item(
                f"volume:{volume.get('name')}", LOST, "the task mounts only the access point of the data directory"
            )


def _service(anatomy: Anatomy) -> Iterator[Item]:
    """What runs the task on instances, which the program's task doesn't use, and further target groups."""
    service = anatomy.service
    providers = [item.get("capacity_provider") for item in service.items_of("capacity_provider_strategy")]
    if others := [str(name) for name in providers if name not in ("FARGATE", "FARGATE_SPOT")]:
        yield Item("service.capacity_provider", LOST, f"the program's task runs on Fargate, not on {', '.join(others)}")
    elif not providers and (kind := service.get("launch_type") or "FARGATE") != "FARGATE":
        yield Item("service.launch_type", LOST, f"the program's task runs on Fargate, not on {kind}")
    for block in service.items_of("load_balancer")[1:]:
        group = str(block.get("target_group_arn")).rpartition("targetgroup/")[2].partition("/")[0]
        why = f"the program's service registers its task in one target group, not in {group} (port {block.get('container_port')})"
        yield Item(f"target-group:{group}", LOST, why)


def _sign_in(anatomy: Anatomy, settings: Mapping[str, Any]) -> Iterator[Item]:
    if settings.get("oidcIssuer") or not anatomy.sign_in:
        return
    why = "users sign in at Amazon Cognito: set oidcIssuer and the other oidc settings to the user pool's"
    if "authenticate_oidc" in anatomy.sign_in:
        why = (
            "users sign in at an OpenID Connect provider: store its client secret in Secrets Manager under the JSON key "
            "client_secret and set oidcClientSecretName to the secret's name"
        )
    yield Item("sign-in", LOST, why)
