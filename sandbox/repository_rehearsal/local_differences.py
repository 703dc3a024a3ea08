"""Differences of a second plan that come from the local AWS, which doesn't return what it was given.

They are labelled, since a rehearsal can't show whether AWS would return it.
"""

from collections.abc import Mapping

from sandbox.repository_rehearsal import terraform_output

_FORWARD = frozenset(
    {"action", "default_action", "forward", "stickiness", "duration", "enabled", "target_group", "arn", "weight"}
)
_COMPUTED = frozenset({"arn", "file_system_arn", "id", "owner_id", "tags", "tags_all"})
_PARAMETER = frozenset({"parameter", "apply_method", "name", "value"})
_TEMPLATE = frozenset(
    {
        *("latest_version", "cpu_options", "core_count", "threads_per_core", "credit_specification", "cpu_credits"),
        *("enclave_options", "enabled", "hibernation_options", "configured", "instance_market_options", "market_type"),
        *("maintenance_options", "auto_recovery", "network_interfaces", "delete_on_termination"),
        *("placement", "tenancy", "private_dns_name_options", "hostname_type"),
    }
)
_KNOWN: Mapping[str, frozenset[str]] = {
    "aws_acm_certificate": frozenset({"options", "certificate_transparency_logging_preference"}),
    "aws_db_instance": frozenset({"enabled_cloudwatch_logs_exports"}),
    "aws_db_parameter_group": _PARAMETER,
    "aws_efs_access_point": _COMPUTED | {"posix_user", "gid", "secondary_gids", "uid", "root_directory", "path"},
    "aws_efs_file_system_policy": frozenset({"policy", "Id", "Statement", "Sid"}),
    "aws_launch_template": _TEMPLATE,
    "aws_elasticache_parameter_group": _PARAMETER,
    "aws_lb_listener": _FORWARD,
    "aws_lb_listener_rule": _FORWARD,
    "aws_rds_cluster": frozenset({"enabled_cloudwatch_logs_exports"}),
    "aws_rds_cluster_parameter_group": _PARAMETER,
    "aws_sfn_state_machine": frozenset({"tracing_configuration", "enabled"}),
}
"""Attributes and blocks that the local AWS doesn't return as they were given, by resource type."""


def labelled(plan: str) -> Mapping[str, list[str]]:
    """The attributes that a second plan changes because of the local AWS, by the resource's address."""
    found = {}
    for address, changed in terraform_output.changes(plan).items():
        if changed and changed <= _KNOWN.get(terraform_output.type_of(address), frozenset()):
            found[address] = sorted(changed)
    return found


def remaining(plan: str) -> list[str]:
    """The addresses of the resources that a plan changes for another reason."""
    explained = labelled(plan)
    return [address for address in terraform_output.planned(plan) if address not in explained]
