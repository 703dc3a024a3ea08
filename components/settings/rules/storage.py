"""Rules for the locking database, the log archive and tags."""

from collections.abc import Iterator

from ..arguments import Settings
from ..problem import Problem, Rule
from ..schema import changed


def _locking_options(settings: Settings) -> Iterator[Problem]:
    storage = settings.storage
    if storage.uses_redis:
        return
    fields = ("locking_node_type", "locking_password_generation", "locking_snapshot_name")
    for key, value in changed(storage, *fields).items():
        yield Problem({key: value}, "requires lockingDatabase redis; set lockingDatabase to redis, or remove it")


def _locking_name(settings: Settings) -> Iterator[Problem]:
    if settings.storage.uses_redis and "--" in settings.environment:
        yield Problem(
            {"environment": settings.environment},
            "must not have two consecutive hyphens, because ElastiCache doesn't accept them in names",
        )


def _restore(settings: Settings) -> Iterator[Problem]:
    if settings.storage.efs_root_directory == "/" and settings.task.desired_count:
        yield Problem(
            {"efsRootDirectory": "/", "desiredCount": settings.task.desired_count},
            "/ is for a restore, and the server can't write to it; set desiredCount to 0, or remove efsRootDirectory",
        )


def _log_archive(settings: Settings) -> Iterator[Problem]:
    operations = settings.operations
    if 0 < operations.log_archive_days <= operations.log_retention_days:
        yield Problem(
            {"logArchiveDays": operations.log_archive_days, "logRetentionDays": operations.log_retention_days},
            "logArchiveDays must be greater than logRetentionDays; increase logArchiveDays, or remove it",
        )


_FIXED = ("Environment", "ManagedBy", "Name", "Project", "Service")
"""Tags that policies and preflight recognize the stack's resources by."""
_DEFAULTED = ("CostCenter", "DataClass", "Owner", "Team")


def _keys(settings: Settings) -> Iterator[Problem]:
    seen: dict[str, str] = {key.lower(): key for key in _DEFAULTED}
    for key in settings.operations.tags:
        # IAM doesn't distinguish the case of tag keys.
        if key.lower() in (fixed.lower() for fixed in _FIXED):
            yield Problem({"tags": key}, f"can't be set: the stack sets {', '.join(_FIXED)} itself")
        elif (other := seen.get(key.lower(), key)) != key:
            yield Problem({"tags": key}, f"differs from {other} only in case, which IAM refuses; write it as {other}")
        seen[key.lower()] = key


RULES: tuple[Rule, ...] = (
    _locking_options,
    _locking_name,
    _restore,
    _log_archive,
    _keys,
)
