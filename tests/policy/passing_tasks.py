"""Passing stacks near single-task: applications of any name that keep no lock file, or keep it elsewhere."""

import json
from typing import Any, Final

from tests.policy.rows import ACCOUNT, one, passing
from tests.policy.servicer import UNKNOWN, Planned

_ARN: Final = f"arn:aws:ecs:eu-west-1:{ACCOUNT}:task-definition"
_EFS: Final = {"name": "data", "efsVolumeConfiguration": {"fileSystemId": "fs-1", "transitEncryption": "ENABLED"}}


def _application(name: str, image: str, *, known_containers: bool = True, **container: Any) -> tuple[Planned, ...]:
    """A service of several tasks with files on EFS."""
    definition = {
        "name": name,
        "image": image,
        "mountPoints": [{"sourceVolume": "data", "containerPath": "/d"}],
        **container,
    }
    return (
        one("ecs/service", name, name=name, taskDefinition=f"{_ARN}/{name}:1", desiredCount=3),
        one(
            *("ecs/taskDefinition", f"{name}-task"),
            family=name,
            arn=f"{_ARN}/{name}:1",
            volumes=[_EFS],
            containerDefinitions=json.dumps([definition]) if known_containers else UNKNOWN,
        ),
    )


_EVERY_TASK_CHECK: Final = (
    "single-task/desired-count single-task/maximum-percent single-task/minimum-healthy single-task/rolling"
    " single-task/rebalancing single-task/task-definition single-task/lock"
)

TASKS: Final = (
    passing(_EVERY_TASK_CHECK, "a shop called atlantis", *_application("atlantis-tours-web", "shop/atlantis-tours:3")),
    passing(
        _EVERY_TASK_CHECK,
        "the same, created now",
        *_application("atlantis-tours-web", "shop/web:3", known_containers=False),
    ),
    passing(_EVERY_TASK_CHECK, "wordpress", *_application("blog", "wordpress:6.8")),
    passing(
        "single-task/autoscaling",
        "shop that scales",
        *_application("atlantis-tours", "shop/web:1"),
        one(
            "appautoscaling/target",
            "scaling",
            serviceNamespace="ecs",
            resourceId="service/web/atlantis-tours",
            maxCapacity=20,
        ),
    ),
    passing(
        "single-task/file-system",
        "two shops on the same files",
        *_application("shop", "shop/web:1"),
        *_application("shop-admin", "shop/admin:1"),
    ),
    passing(
        "single-task/started",
        "nightly task on the shop's files",
        *_application("shop", "shop/web:1"),
        one(
            "scheduler/schedule",
            "nightly",
            target={"ecsParameters": {"taskDefinitionArn": f"{_ARN}/shop:1", "taskCount": 4}},
        ),
    ),
)
