"""Passing stacks: those of rows_passing.yaml, every row of a table of facts, and applications without a lock file."""

import json
from typing import Any, Final

from tables import read
from tables.links import LINKS
from tables.stores import STORES, Store
from tests.policy.rows import ACCOUNT, TLS_ONLY, Row, deny, document, one, passing, with_value, written
from tests.policy.servicer import UNKNOWN, Planned


def _stores() -> tuple[Row, ...]:
    """Every row of the table: without its properties if AWS encrypts anyway, and with the simplest good value."""
    found = []
    for number, store in enumerate(STORES):
        if not store.switch or store.satisfied == "not-off":
            found.append(passing("encryption/at-rest", f"{store.type} {number} by AWS", _row(store.type, {})))
        if store.switch:
            near = "encryption-stack/at-rest" if store.name == "ebs" else "encryption/at-rest"
            found.append(passing(near, f"{store.type} {number} by its author", _row(store.type, _good(store))))
    return tuple(found)


def _good(store: Store) -> dict[str, Any]:
    properties: dict[str, Any] = {}
    for each in STORES:
        if each.type == store.type and each.switch:
            value = True if isinstance(each.satisfied, str) else each.satisfied[0]
            properties = with_value(properties, each.switch, value)
    return properties


def _row(canonical: str, properties: dict[str, Any]) -> Planned:
    """A resource whose other requirements of the table are met."""
    for link in LINKS:
        if link.type == canonical:
            properties = with_value(properties, link.path, link.satisfied[0])
    for store in STORES:
        if store.type == canonical and not isinstance(store.satisfied, str) and store.switch and not properties:
            properties = with_value(properties, store.switch, store.satisfied[0])
    if canonical == "efs/fileSystem":
        properties = {**properties, "policy": TLS_ONLY}
    return one(canonical, **properties)


def _cloudfront(identity: str, region: str) -> Row:
    rule = {"securityGroupId": "sg-edge", "ipProtocol": "tcp", "fromPort": 443, "toPort": 443}
    return passing(
        *("cidr-restriction/prefix-list", f"CloudFront's list in {region}"),
        one("ec2/securityGroup", "edge", id="sg-edge"),
        one("lb/loadBalancer", "balancer", arn="arn:lb", securityGroups=["sg-edge"]),
        one("vpc/securityGroupIngressRule", "rule", **rule, prefixListId=identity),
    )


def _bucket(partition: str) -> Row:
    """A bucket of another partition than aws, whose policy names its own."""
    arn = f"arn:{partition}:s3:::data"
    tls = {"Action": "s3:*", "Resource": [arn, f"{arn}/*"], "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    return passing(
        *("encryption/plain-transport encryption-stack/transport-policy", f"bucket of {partition}"),
        one("s3/bucket", "data", id="data", bucket="data"),
        one("s3/bucketPolicy", "data-policy", bucket="data", policy=document(deny(Principal="*", **tls))),
    )


_ARN: Final = f"arn:aws:ecs:eu-west-1:{ACCOUNT}:task-definition"
_EFS: Final = {"name": "data", "efsVolumeConfiguration": {"fileSystemId": "fs-1", "transitEncryption": "ENABLED"}}


def _application(name: str, image: str, *, known_containers: bool = True) -> tuple[Planned, ...]:
    """A service of several tasks with files on EFS."""
    definition = {"name": name, "image": image, "mountPoints": [{"sourceVolume": "data", "containerPath": "/d"}]}
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

_TASKS: Final = (
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

PASSING: Final[tuple[Row, ...]] = (
    *(*_stores(), *written("passing"), *_TASKS),
    *(_cloudfront(*each) for each in read("prefix_lists")["cloudfront_origin_facing"].items()),
    *(_bucket(partition) for partition in ("aws-iso-b", "aws-cn", "aws-us-gov", "aws-eusc")),
)
