"""Verdicts of secrets, containers, recovery and the limits of exemptions."""

import json
from dataclasses import replace
from typing import Any, Final

from tests.policy.rows import Row, both, found, one, passes

CONTAINER: Final[dict[str, Any]] = {
    "name": "atlantis",
    "image": "ghcr.io/runatlantis/atlantis:v0.47.1",
    "user": "100:1000",
    "readonlyRootFilesystem": True,
    "environment": [{"name": "ATLANTIS_PORT", "value": "4141"}],
    "mountPoints": [{"sourceVolume": "data", "containerPath": "/data"}],
    "logConfiguration": {"logDriver": "awslogs"},
}


def containers(**changes: Any) -> str:
    """Container definitions with one container that is fine but for the changes; None leaves a key out."""
    merged = {**CONTAINER, **changes}
    return json.dumps([{key: value for key, value in merged.items() if value is not None}])


_TEXT: Final = "correct horse battery"
_VARIABLES: Final = (
    *(("DB_PASS", _TEXT, True), ("DB_PWD", _TEXT, True), ("PGPASSWORD", _TEXT, True), ("dbPassword", _TEXT, True)),
    *(
        ("API_TOKEN", _TEXT, True),
        ("githubToken", _TEXT, True),
        ("JWT_SIGNING_KEY", _TEXT, True),
        ("APIKEY", _TEXT, True),
    ),
    *(
        ("SSH_KEY", _TEXT, True),
        ("CLIENT_SECRET", _TEXT, True),
        ("DB_CREDENTIALS", _TEXT, True),
        ("secret", _TEXT, True),
    ),
    *(("TOKENIZER", "bert-base", False), ("TOKENIZER_PATH", "bert", False), ("MAX_TOKENS", "4096", False)),
    *(("BYPASS", "yes", False), ("COMPASS", "north", False), ("PWD", "/app", False), ("PUBLIC_KEY", _TEXT, False)),
    *(("SECRET_NAME", "prod/db", False), ("TOKEN_URL", "login", False), ("PASSWORD_MIN_LENGTH", "a dozen", False)),
    *(
        ("TOKEN_TTL", "an hour", False),
        ("SECRETARY", "Ann", False),
        ("KEYBOARD", "qwerty", False),
        ("MONKEY", "x", False),
    ),
    *(("DB_PASSWORD", "/prod/db/password", False), ("DB_PASSWORD", "arn:aws:secretsmanager:x", False)),
    *(("DB_PASSWORD", "{{resolve:secretsmanager:db}}", False), ("DB_PASSWORD", "${DB}", False)),
    *(("tf_var_api_key", _TEXT, True), ("VAULT_TOKEN_FILE", "/run/token", False), ("TF_VAR_tokens", "5", False)),
    *(("DB_SECRET_ARN", "arn:aws:secretsmanager:x", False), ("X", "-----BEGIN RSA PRIVATE KEY-----", True)),
    ("X", "github_pat_" + "11ABCDEFG0" * 4, True),
    ("X", "ghp_" + "a1B2" * 9, True),
    ("X", "ASIA" + "ABCD1234" * 2, True),
    ("X", "AKIA" + "ABCD1234" * 2, True),
    ("X", "glpat-" + "a1B2c" * 4, True),
    ("DATABASE_URL", "postgres://app:hunter2@db.internal:5432/app", True),
    ("DATABASE_URL", "postgres://app@db.internal:5432/app", False),
    ("DATABASE_URL", "postgres://app:${PASSWORD}@db.internal/app", False),
    ("DATABASE_URL", "https://example.com:8443/a@b", False),
)


def _variable(name: str, value: str, expected: bool) -> Row:
    task = one("ecs/taskDefinition", containerDefinitions=containers(environment=[{"name": name, "value": value}]))
    return (found if expected else passes)("secrets/plain-environment", f"{name} {value[:12]}", task)


SECRETS: Final[tuple[Row, ...]] = (
    *(_variable(name, value, expected) for name, value, expected in _VARIABLES),
    *both(
        *("secrets/plain-environment", "start script"),
        one("ec2/instance", userData="export AWS_ACCESS_KEY_ID=AKIA" + "ABCD1234" * 2),
        one("ec2/instance", userData="export AWS_REGION=eu-west-1"),
    ),
)


def _contained(label: str, expected: bool, check: str = "host-isolation", **changes: Any) -> Row:
    task = one("ecs/taskDefinition", containerDefinitions=containers(**changes))
    return (found if expected else passes)(f"containers/{check}", label, task)


_DIGEST = "@sha256:" + "0a" * 32

CONTAINERS: Final[tuple[Row, ...]] = (
    *(
        (found if expected else passes)(
            *("containers/pinned-image", f"image {image}"),
            one("ecs/taskDefinition", containerDefinitions=containers(image=image)),
            requireDigest=True,
        )
        for image, expected in (
            ("ghcr.io/example/agent:1.2", True),
            ("agent:1.2", True),
            (f"ghcr.io/example/agent:1.2{_DIGEST}", False),
            (f"agent{_DIGEST}", False),
            ("123456789012.dkr.ecr.eu-west-1.amazonaws.com/agent:1.2", False),
            ("123456789012.dkr.ecr.eu-west-1.amazonaws.com/agent:latest", True),
        )
    ),
    _contained("tag without the option", False, "pinned-image", image="ghcr.io/example/agent:1.2"),
    *(_contained(f"user {user}", True, "non-root-user", user=user) for user in ("00", "0:1000", "root:root", "000:0")),
    *(_contained(f"user {user}", False, "non-root-user", user=user) for user in ("1000", "100:0", "app", "10:0")),
    *(
        _contained(f"capability {name}", expected, linuxParameters={"capabilities": {"add": [name]}})
        for name, expected in (("SYS_ADMIN", True), ("ALL", True), ("CAP_NET_ADMIN", True), ("NET_BIND_SERVICE", False))
    ),
    _contained("dropped capabilities", False, linuxParameters={"capabilities": {"drop": ["ALL"]}}),
    *(
        (found if expected else passes)(
            *("containers/host-isolation", f"volume {path}"),
            one("ecs/taskDefinition", containerDefinitions=containers(), volumes=[{"name": "v", "hostPath": path}]),
        )
        for path, expected in (
            *(("/var/run/docker.sock", True), ("/run/docker.sock", True), ("/", True), ("/etc", True), ("/proc", True)),
            *(("/mnt/data", False), ("/opt/app", False)),
        )
    ),
)

_SYSTEM: Final = one(
    "efs/fileSystem", arn="arn:aws:elasticfilesystem:eu-west-1:1:file-system/fs-1", tags={"backup": "daily"}
)


def _selected(label: str, expected: bool, **selection: Any) -> Row:
    return (found if expected else passes)(
        "recovery/backup", label, _SYSTEM, one("backup/selection", "selection", **selection)
    )


def _named(resource: str, expected: bool) -> Row:
    """A key and a file system of one name, both with a finding that the exemption covers, if it names them."""
    entry = {"resource": resource, "reason": "A reason that is long enough.", "expires": "2099-01-01"}
    stack = (one("kms/key", "db"), one("efs/fileSystem", "db"))
    row = (found if expected else passes)("exemption-limits/name", resource, *stack)
    return replace(row, configuration={"encryption": {"exemptions": [entry]}})


def _limited(check: str, expected: bool, resource: str = "db", expires: str = "2099-01-01", **limits: Any) -> Row:
    """An exemption from the policy itself, and the limits of the organization."""
    entry = {"resource": resource, "checks": ["urn"], "reason": "It is replaced.", "expires": expires}
    row = found if expected else passes
    return row(f"exemption-limits/{check}", f"{resource} {limits}", one("kms/key", "db"), exemptions=[entry], **limits)


LIMITS: Final[tuple[Row, ...]] = (
    _limited("duration", True, maximumDays=90),
    _limited("duration", False, maximumDays=90_000),
    _limited("duration", False),
    _limited("urn", True, resource="aws:kms/key:Key::db", urnOnly=["exemption-limits"]),
    _limited("urn", False, resource="urn:pulumi:a::b::c::d", urnOnly=["exemption-limits"]),
    _named("db", True),
    _named("aws:kms/key:Key::db", False),
    _named("d*", False),
    _limited("urn", False, resource="other", urnOnly=["encryption"]),
    _limited("wildcard", True, resource="urn:pulumi:*", forbidWildcards=True),
    _limited("wildcard", False, resource="urn:pulumi:*"),
    _limited("wildcard", False, forbidWildcards=True),
)

RECOVERY: Final[tuple[Row, ...]] = (
    _selected("by ARN", False, resources=["arn:aws:elasticfilesystem:eu-west-1:1:file-system/fs-1"]),
    _selected("by pattern", False, resources=["arn:aws:elasticfilesystem:*:*:file-system/*"]),
    _selected("everything", False, resources=["*"]),
    _selected("everything but this", True, resources=["*"], notResources=["arn:aws:elasticfilesystem:*"]),
    _selected("another service", True, resources=["arn:aws:rds:*:*:db:*"]),
    _selected("by tag", False, selectionTags=[{"type": "STRINGEQUALS", "key": "backup", "value": "daily"}]),
    _selected("by another tag", True, selectionTags=[{"type": "STRINGEQUALS", "key": "backup", "value": "weekly"}]),
    _selected(
        "by condition", False, conditions=[{"stringEquals": [{"key": "aws:ResourceTag/backup", "value": "daily"}]}]
    ),
)

OPERATIONS_ROWS: Final[tuple[Row, ...]] = (*LIMITS, *SECRETS, *CONTAINERS, *RECOVERY)
