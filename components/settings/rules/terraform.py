"""Rules for the permissions of Terraform."""

from collections.abc import Iterator

from ..accepted import REPOSITORY
from ..arguments import Settings
from ..problem import Problem, Rule


def _state_buckets(settings: Settings) -> Iterator[Problem]:
    base = settings.base_name or f"atlantis-{settings.environment}"
    for bucket in settings.terraform.terraform_state_buckets:
        if isinstance(bucket, str) and bucket.startswith((f"{base}-access-logs-", f"{base}-log-archive-")):
            yield Problem(
                {"terraformStateBuckets": bucket},
                "must not be a log bucket of the stack, because plans could change the logs",
            )


def _state_keys(settings: Settings) -> Iterator[Problem]:
    if settings.terraform.terraform_state_key_arns and not settings.terraform.terraform_state_buckets:
        yield Problem(
            {"terraformStateKeyArns": None}, "also requires terraformStateBuckets, the buckets that the keys encrypt"
        )


def _state_prefixes(settings: Settings) -> Iterator[Problem]:
    prefixes = settings.terraform.terraform_state_prefixes
    if prefixes and not settings.terraform.terraform_state_buckets:
        yield Problem(
            {"terraformStatePrefixes": list(prefixes)}, "also requires terraformStateBuckets, the buckets with the keys"
        )
    for own in (prefix for prefix in prefixes if REPOSITORY in prefix):
        for shared in (prefix for prefix in prefixes if REPOSITORY not in prefix and own.startswith(prefix)):
            yield Problem(
                {"terraformStatePrefixes": list(prefixes)},
                f"{shared} contains {own}, so every repository would reach the states of all; remove {shared}, or use another prefix "
                "for what is shared",
            )


def _name_prefixes(settings: Settings) -> Iterator[Problem]:
    for prefix in settings.terraform.managed_name_prefixes:
        if prefix.lower().startswith(("aws-", "awsservicerole")):
            yield Problem(
                {"managedNamePrefixes": prefix},
                "must not match the names of roles that AWS reserves (aws-, AWSServiceRole)",
            )


RULES: tuple[Rule, ...] = (
    _state_buckets,
    _state_keys,
    _state_prefixes,
    _name_prefixes,
)
