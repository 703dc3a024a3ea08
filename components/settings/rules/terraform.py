"""Rules for the permissions of Terraform."""

from collections.abc import Iterator

from ..arguments import Settings
from ..problem import Problem, Rule

__all__ = ["RULES"]


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


MOST_STATE_ARNS = 20
"""Buckets times prefixes: each pair is an ARN in the task role's policy, whose size IAM limits."""


def _state_prefixes(settings: Settings) -> Iterator[Problem]:
    prefixes, buckets = settings.terraform.terraform_state_prefixes, settings.terraform.terraform_state_buckets
    if prefixes and not buckets:
        yield Problem(
            {"terraformStatePrefixes": list(prefixes)}, "also requires terraformStateBuckets, the buckets with the keys"
        )
    elif len(prefixes) * len(buckets) > MOST_STATE_ARNS:
        yield Problem(
            {"terraformStatePrefixes": list(prefixes)},
            f"with {len(buckets)} terraformStateBuckets, at most {MOST_STATE_ARNS // len(buckets)} prefixes fit into the task role's "
            "policy; use fewer, or a common one",
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
