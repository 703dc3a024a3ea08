"""Rules for the locking database and the log archive."""

from collections.abc import Iterator

from ..arguments import Settings
from ..problem import Problem, Rule
from ..schema import is_default, key_of


def _locking_options(settings: Settings) -> Iterator[Problem]:
    storage = settings.storage
    if storage.uses_redis:
        return
    for field in ("locking_node_type", "locking_password_generation", "locking_snapshot_name"):
        if not is_default(storage, field):
            values = {key_of(field): getattr(storage, field)}
            yield Problem(values, "requires lockingDatabase redis; set lockingDatabase to redis, or remove it")


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


RULES: tuple[Rule, ...] = (
    _locking_options,
    _locking_name,
    _restore,
    _log_archive,
)
