"""The recorded inputs of the stack's shapes: ``python -m tests.unit.shapes`` writes them, `test_shapes.py` prints the difference.

A recording is easily accepted without reading it. So it has no values that a person must decide: permissions, keys, secrets, and what
the network exposes have tests with their values; scripts have tests that run them.
"""

import json
import re
from pathlib import Path
from typing import Any

from tests.unit.existing_parts import EXISTING_GROUP, EXISTING_LISTENER, EXISTING_VPC
from tests.unit.recording import ACCOUNT, REGION, Graph
from tests.unit.stacks import BARE, PRODUCTION, REDIS, stack

__all__ = ["FOLDER", "METRICS", "SHAPES", "SLEEPER", "described", "difference", "written"]

METRICS: dict[str, Any] = {
    "name": "metrics",
    "image": f"public.ecr.aws/example/metrics:1.2@sha256:{'0a' * 32}",
    "command": ["--interval", "60", "--interval"],
    "entryPoint": ["/metrics"],
    "environment": {"SITE": "eu", "LINES": "one\ntwo"},
    "secrets": {
        "API_KEY": f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:metrics/key-AbCdEf:key::",
        "ENDPOINT": f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/metrics/url",
    },
    "user": "1000:1000",
    "cpu": 64,
    "memory": 128,
}
SLEEPER: dict[str, Any] = {"name": "sleeper", "image": f"busybox@sha256:{'0a' * 32}"}
_TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:on-call"
FOLDER = Path(__file__).parent / "recorded" / "shapes"
SHAPES: dict[str, dict[str, Any]] = {
    "default": {},
    "production": PRODUCTION,
    "bare": BARE,
    "redis": REDIS,
    "isolated": {"terraformIsolation": "tasks", "driftProjects": ["my-organization/network:vpc"]},
    "workers": PRODUCTION
    | {
        "terraformIsolation": "tasks",
        "moduleRepositories": ["modules", "more.modules"],
        "secretEnvironment": ["TF_VAR_token=shared/github-app:app_id", "DD_API_KEY=shared/webhook:x"],
        "environmentVariables": {"TF_VAR_region": "eu-west-1"},
        "extraContainers": [METRICS],
        "planWorkers": "2-10",
        "applyWorkers": "3",
        "planWorkerCpu": 2048,
        "planWorkerMemory": 8192,
        "planWorkerEphemeralStorage": 40,
        "planWorkerCapacityProvider": "FARGATE_SPOT",
        "planWorkerSubnetIds": ["subnet-0000000000000001a", "subnet-0000000000000001b"],
        "workerWaitMinutes": 30,
        "driftProjects": [
            "my-organization/network@release:vpc",
            "my-organization/network@release:dns:prod",
            "my-organization/apps#shop",
            "my-organization/all",
        ],
        "driftEveryHours": 6,
    },
    "extended": {
        "hostedZoneId": PRODUCTION["hostedZoneId"],
        "extraContainers": [METRICS, SLEEPER],
        "environmentVariables": {"TF_VAR_region": "eu-west-1", "LANG": "C.UTF-8"},
        "httpProxy": "http://proxy.example.com:3128",
        "httpsProxy": "http://proxy.example.com:3128",
        "noProxy": ["10.0.0.0/8", ".Example.com", "git.example.com"],
        "imageTag": "v0.50.0",
        "planRequirements": ["approved"],
        "ephemeralStorage": 50,
        "stopTimeout": 60,
        "loadBalancerIdleTimeout": 900,
        "efsThroughputMode": "elastic",
    },
    "existing-load-balancer": {
        "vpcId": EXISTING_VPC["vpcId"],
        "privateSubnetIds": EXISTING_VPC["privateSubnetIds"],
        "acmCertificateArn": None,
        "httpsListenerArn": EXISTING_LISTENER,
        "loadBalancerSecurityGroupId": EXISTING_GROUP,
        "alarmTopicArns": [_TOPIC],
        "logKeyArn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/0a1b2c3d-0000-4000-8000-0123456789ab",
        "logArchiveDays": 400,
    },
    "log-archive": {"logArchiveDays": 400},
    "alarms": {"alarmTopicArns": [_TOPIC]},
    "existing-cluster": {"alarmTopicArns": [_TOPIC], "clusterName": "platform"},
    "without-load-balancer": {
        "loadBalancerScheme": "none",
        "lockingDatabase": "redis",
        "acmCertificateArn": None,
        "allowedCidrBlocks": ["10.20.0.0/16"],
        "alarmTopicArns": [_TOPIC],
        "serviceRegistryArn": f"arn:aws:servicediscovery:{REGION}:{ACCOUNT}:service/srv-abcdefgh12345678",
    },
}
_DECIDED = re.compile(
    r"^(aws:(iam|kms|secretsmanager)/|random:|atlantis:)|(bucket|fileSystem|repository)Policy:|(In|E)gressRule|Listener|PublicAccessBlock"
)


def _containers(definitions: list[dict[str, Any]]) -> dict[str, Any]:
    """Containers by name, without their secrets and scripts, and with their short variables as a mapping."""
    return {
        each["name"]: {
            key: [item for item in value if "\n" not in item] if key in ("command", "entryPoint") else value
            for key, value in each.items()
            if key not in ("name", "secrets", "environment")
        }
        | {
            "environment": {
                item["name"]: item["value"] for item in each.get("environment", ()) if len(item["value"]) < 800
            }
        }
        for each in definitions
    }


def described(graph: Graph) -> dict[str, Any]:
    """Inputs and protection of each resource by its name and type, of its tags those that not all have; outputs and warnings."""
    usual = graph.all("aws:ecs/taskDefinition:TaskDefinition")[0].inputs["tags"]
    return {
        f"{each.name} ({each.type})": {
            "inputs": {
                key: dict(value.items() - usual.items())
                if key == "tags"
                else _containers(value)
                if key == "containerDefinitions"
                else value
                for key, value in each.decoded.items()
            },
            **({"protect": True} if each.protect else {}),
            **({"ignoreChanges": list(each.ignore_changes)} if each.ignore_changes else {}),
        }
        for each in graph.resources
        if not _DECIDED.search(each.type)
    } | {"stack": {"outputs": graph.outputs, "warnings": graph.warnings}}


def difference(found: Any, default: Any) -> Any:
    """What isn't as in the default shape; None for what the shape lacks."""
    if not isinstance(found, dict) or not isinstance(default, dict):
        return found
    changed = {key: value for key, value in found.items() if key not in default or default[key] != value}
    return {key: difference(value, default.get(key)) for key, value in changed.items()} | dict.fromkeys(
        default.keys() - found.keys()
    )


def written(shape: str) -> str:
    """The recording of ``shape``: the default one as a whole, the others as their difference to it."""
    found = described(stack(**SHAPES[shape]))
    if shape != "default":
        found = difference(found, described(stack()))
    return json.dumps(found, indent=1, sort_keys=True, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for name in SHAPES:
        (FOLDER / f"{name}.json").write_text(written(name), encoding="utf-8")
