"""States to adopt, how to change them, and the stack files that adopt them.

Those of `written/` are of a small stack of another user, in another account and region.
"""

import copy
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ACCOUNT, REGION = "210987654321", "eu-west-1"
VPC = "vpc-0aa0bb0cc0dd0ee01"
ALB, TASKS, EFS = "sg-0aa0bb0cc0dd0ee31", "sg-0aa0bb0cc0dd0ee32", "sg-0aa0bb0cc0dd0ee33"
FILE_SYSTEM, ACCESS_POINT = "fs-0aa0bb0cc0dd0ee41", "fsap-0aa0bb0cc0dd0ee42"
SECRET_VALUE = "not-for-anybodys-eyes"

ROLE = "atlantis-tasks-0123"
"""The task role."""
AGENT: dict[str, Any] = {"name": "datadog", "image": f"public.ecr.aws/datadog/agent:7@sha256:{'0a' * 32}"}
"""A container next to the server's."""

State = dict[str, Any]


def arn(service: str, resource: str) -> str:
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"


def role_arn(name: str) -> str:
    return f"arn:aws:iam::{ACCOUNT}:role/{name}"


SECRET = arn("secretsmanager", "secret:atlantis-github-AbCdEf")
TARGETS = arn("elasticloadbalancing", "targetgroup/atlantis-main/73e2d6bc24d8a067")
BALANCER = arn("elasticloadbalancing", "loadbalancer/app/atlantis/50dc6c495c0c9188")
HTTPS = arn("elasticloadbalancing", "listener/app/atlantis/50dc6c495c0c9188/f2f7dc8efc522ab2")
HTTP = arn("elasticloadbalancing", "listener/app/atlantis/50dc6c495c0c9188/a1b2c3d4e5f60718")
CLUSTER = arn("ecs", "cluster/atlantis")
TASK = arn("ecs", "task-definition/atlantis:12")

PROVIDER = 'provider["registry.terraform.io/hashicorp/aws"]'

ORIGINAL_SETTINGS: dict[str, Any] = {
    "allowedCidrBlocks": ["203.0.113.0/24"],
    "url": "https://atlantis.example.com",
    "repoAllowlist": "github.com/ryu-qqq/*",
    "managedNamePrefixes": [],
    "secretReaderArns": ["arn:aws:iam::123456789012:role/deployer"],
}
"""A stack file for the original stack, before the adoption's proposals."""

SETTINGS: dict[str, Any] = {
    "allowedCidrBlocks": ["198.51.100.0/24"],
    "url": "https://placeholder.example.com",
    "repoAllowlist": "github.com/placeholder/*",
    "hostedZoneId": "Z0123456789ABCDEFGHIJ",
    "permissionsBoundaryArn": f"arn:aws:iam::{ACCOUNT}:policy/boundary",
    "secretReaderArns": [f"arn:aws:iam::{ACCOUNT}:role/deployer"],
}
"""A stack file as somebody begins it."""

SHARED: Mapping[str, Any] = {
    "httpsListenerArn": HTTPS,
    "clusterName": "platform",
    "hostedZoneId": "Z0123456789ABCDEFGHIJ",
}
"""The settings that leave the shared parts of `shared_state` unchanged."""
SHOP = arn("elasticloadbalancing", "targetgroup/shop-api/0123456789abcdef")


def read(name: str) -> State:
    """A state of the folder `written`."""
    return json.loads((Path(__file__).parent / "written" / f"{name}.tfstate").read_text(encoding="utf-8"))


def small_state() -> State:
    """A stack of 24 resources in one module, which tests change."""
    return read("small")


def find(state: State, address: str) -> dict[str, Any]:
    """The attributes of the first instance of a resource, to change them."""
    key = ("managed", *address.split("."))
    entry = next(item for item in state["resources"] if (item["mode"], item["type"], item["name"]) == key)
    return entry["instances"][0]["attributes"]


def container(**changes: Any) -> str:
    """Atlantis' container definitions."""
    (definition,) = json.loads(find(small_state(), "aws_ecs_task_definition.this")["container_definitions"])
    return json.dumps([definition | changes])


def wide_state() -> State:
    """The small stack with resources of all the other types that are read: records, rules, endpoints, keys, policies."""
    state = small_state()
    return {**state, "resources": [*state["resources"], *read("wider")["resources"]]}


def shared_state() -> State:
    """The small stack behind a load balancer and in a cluster that a shop uses too. Atlantis has two rules in the listener, among
    those of the shop: before, between and after them."""
    return read("shared")


def rule(priority: int, target: str, **conditions: list[str]) -> dict[str, Any]:
    """A rule of the HTTPS listener, as the provider stores it. Empty `target`: a page that says 503."""
    identity = f"{HTTPS.replace(':listener/', ':listener-rule/')}/{priority:016x}"
    forward = [{"type": "forward", "order": 1, "target_group_arn": target, "forward": []}]
    page = [{"content_type": "text/plain", "message_body": "Closed", "status_code": "503"}]
    return {
        "id": identity,
        "arn": identity,
        "listener_arn": HTTPS,
        "priority": priority,
        "action": forward if target else [{"type": "fixed-response", "order": 1, "fixed_response": page}],
        "condition": [{name: [{"values": values}]} for name, values in conditions.items()],
    }


def add(
    state: State,
    address: str,
    attributes: Mapping[str, Any],
    *,
    module: str = "",
    mode: str = "managed",
) -> None:
    """Add a resource, or a data source with `mode` data, to `state`: `module` is empty for the root module."""
    type_, name = address.split(".")
    instances = [{"attributes": dict(attributes), "dependencies": []}]
    entry = {"mode": mode, "type": type_, "name": name, "provider": PROVIDER, "instances": instances}
    state["resources"].append(entry | ({"module": module} if module else {}))


def without(state: State, *types: str) -> State:
    """`state` without the resources of these types."""
    return {**state, "resources": [item for item in state["resources"] if item["type"] not in types]}


def document(action: str | list[str], resource: str | list[str] = "*", **more: Any) -> str:
    """A policy of one statement."""
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": resource, **more}]}
    )


def changed_state(row: Mapping[str, Any]) -> State:
    """The state of a row in a table, which has what `change` does."""
    state = {"small": small_state, "shared": shared_state}[row.get("state", "small")]()
    change(state, row)
    return state


def change(state: State, row: Mapping[str, Any]) -> None:
    """Do to `state` what a row says: take resources out, add and set some, and change the task's containers and its role's rights."""
    row = copy.deepcopy(row)  # its aliases are shared with other rows
    state["resources"] = without(state, *row.get("without", ()))["resources"]
    for address, attributes in row.get("add", {}).items():
        *module, type_, name = address.removeprefix("data.").split(".")
        mode = "data" if address.startswith("data.") else "managed"
        add(state, f"{type_}.{name}", attributes, module=".".join(module), mode=mode)
    for address, (priority, target) in row.get("rules", {}).items():
        *module, type_, name = address.split(".")
        targets = {"atlantis": TARGETS, "shop": SHOP, "page": ""}
        add(state, f"{type_}.{name}", rule(priority, targets[target]), module=".".join(module))
    for address, values in row.get("set", {}).items():
        for path, value in values.items():
            *parents, last = path.split(".")
            block: Any = find(state, address)
            for parent in parents:
                block = block[int(parent) if parent.isdigit() else parent]
            if isinstance(block, list):
                block.insert(int(last), value)
            else:
                block[last] = value
    if "allows" in row:
        policy = {"id": f"{ROLE}:shop", "role": ROLE, "name": "shop", "policy": document(**row["allows"])}
        add(state, "aws_iam_role_policy.shop", policy)
    if "attached" in row:
        attachment = {"id": "shop", "role": ROLE, "policy_arn": row["attached"]}
        add(state, "aws_iam_role_policy_attachment.shop", attachment)
    if row.keys() & {"server", "host", "variables", "secrets", "containers"}:
        task = find(state, "aws_ecs_task_definition.this")
        (server,) = json.loads(task["container_definitions"])
        definitions = [_server(server, row), *(AGENT | other for other in row.get("containers", ()))]
        task["container_definitions"] = json.dumps(definitions)


def _server(running: Mapping[str, Any], row: Mapping[str, Any]) -> dict[str, Any]:
    """The server's container with other properties, for another host of repositories, and with more variables and secrets."""
    server = {**running, **row.get("server", {})}
    variables, secrets = dict[str, str](row.get("variables", {})), dict[str, str](row.get("secrets", {}))
    if host := row.get("host"):
        server |= {
            "environment": [item for item in server["environment"] if item["name"] != "ATLANTIS_REPO_ALLOWLIST"],
            "secrets": [],
        }
        prefix, (token, hook) = f"ATLANTIS_{host['kind']}", host.get("keys", ("token", "webhook_secret"))
        variables = {f"{prefix}_USER": "bot", "ATLANTIS_REPO_ALLOWLIST": host["allowlist"], **variables}
        secrets[f"{prefix}_TOKEN"] = f"secret:ci/host-AbCdEf:{token}::"
        secrets[f"{prefix}_{host.get('hook', 'WEBHOOK_SECRET')}"] = f"secret:ci/hook-GhIjKl:{hook}::"
    for key, name, found in (("environment", "value", variables), ("secrets", "valueFrom", secrets)):
        for each, value in found.items():
            given = arn("secretsmanager", value) if value.startswith("secret:") else value
            server[key] = [*server.get(key, ()), {"name": each, name: given}]
    return server


def write(folder: Path, state: object) -> Path:
    """`state` in a file."""
    path = folder / "terraform.tfstate"
    path.write_text(json.dumps(state), encoding="utf-8")
    return path
