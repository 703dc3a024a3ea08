"""The stacks that the unit tests look at: each set of settings is deployed once."""

import functools
import json
from typing import Any

from tests.tables import table
from tests.unit.recording import ACCOUNT, EXISTING_VPC, REGION, Graph, deploy

TAGS = {
    "Environment": "prod",
    "Service": "atlantis",
    "ManagedBy": "pulumi",
    "Project": "atlantis",
    "Team": "platform",
    "Owner": "platform",
    "DataClass": "confidential",
}
"""The tags of everything that takes tags, of a stack that sets none of them."""

ROOT = f"arn:aws:iam::{ACCOUNT}:root"
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/boundary"
EXECUTION_ROLE_SESSIONS = [
    f"arn:aws:iam::{ACCOUNT}:role/atlantis-ecs-task-execution-prod",
    f"arn:aws:sts::{ACCOUNT}:assumed-role/atlantis-ecs-task-execution-prod/*",
]

ALLOWED = [*(f"198.51.100.{host}/32" for host in range(6)), "140.82.112.0/20", "2001:db8::/32"]
"""More ranges than a listener rule takes, one of them GitHub's own, one IPv6."""

PRODUCTION: dict[str, Any] = table(__file__, "production")
"""An existing VPC, a certificate through the zone, IPv6 at the door, and everything that a production stack changes."""

BARE: dict[str, Any] = table(__file__, "bare")
"""As little as can be: no endpoints, no rights beyond the data directory, secrets that exist, nothing protected; GitHub Enterprise."""

REDIS: dict[str, Any] = {"lockingDatabase": "redis"}
"""Locks in a database: deployments overlap."""

OWN_BOUNDARY: dict[str, Any] = {"permissionsBoundaryArn": None}
"""A boundary that the stack creates."""

LARGEST: dict[str, Any] = (
    EXISTING_VPC
    | REDIS
    | {
        "environment": "e" * 14,
        "terraformStateBuckets": [f"{number}{'b' * 62}" for number in range(10)],
        "terraformStateKeyArns": [
            f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{number:08}-0000-4000-8000-{'0' * 12}" for number in range(5)
        ],
        "terraformLockTables": [f"{number}{'t' * 254}" for number in range(10)],
        "managedNamePrefixes": [f"{number}{'p' * 38}-" for number in range(5)],
        "permissionsBoundaryArn": f"arn:aws:iam::{ACCOUNT}:policy/{'b' * 128}",
        "hostedZoneId": "Z0123456789ABCDEFGHIJ",
        "logArchiveDays": 3650,
        "backupRetentionDays": 3650,
        "alarmTopicArns": [f"arn:aws:sns:{REGION}:{ACCOUNT}:{number}{'t' * 255}" for number in range(5)],
        "githubAppSecretName": "g" * 512,
        "webhookSecretName": "w" * 512,
        "secretReaderArns": [f"arn:aws:iam::{ACCOUNT}:role/{number:02}{'r' * 126}" for number in range(20)],
        "team": "t" * 256,
        "owner": "o" * 256,
        "costCenter": "c" * 256,
    }
)
"""Every name and list as long as the settings accept, and a locking database."""

ISOLATED: dict[str, Any] = LARGEST | {"terraformIsolation": "tasks"}
"""The largest stack with Terraform in workers, whose roles and documents come on top."""

ALL: dict[str, dict[str, Any]] = {
    "default": {},
    "production": PRODUCTION,
    "bare": BARE,
    "redis": REDIS,
    "own boundary": OWN_BOUNDARY,
    "largest": LARGEST,
    "isolated": ISOLATED,
}


def stack(**changes: Any) -> Graph:
    """The graph of the least settings with `changes`, as `recording.deploy` makes it."""
    return _deployed(json.dumps(changes, sort_keys=True))


@functools.cache
def _deployed(changes: str) -> Graph:
    return deploy(**json.loads(changes))


def arn(service: str, resource: str) -> str:
    """The ARN of a resource of the stack's account and region."""
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{resource}"
