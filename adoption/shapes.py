"""The shapes of the attributes that are read, so that a damaged state ends with the name of the attribute."""

import re
from collections.abc import Mapping
from typing import Any

MAXIMUM_DEPTH = 64


def words(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


BLOCKS = words(
    """
    access_logs action alias authenticate_cognito authenticate_oidc authorization_config capacity_provider_strategy
    cidr_block_associations condition creation_info default_action efs_volume_configuration egress ephemeral_storage forward
    health_check ingress inference_accelerator load_balancer network_configuration placement_constraints posix_user
    proxy_configuration root_directory runtime_platform source_ip target_group volume
    """
)
"""Attributes that are lists of blocks, at any level of the types that are read."""
TEXTS = words(
    "cidr_blocks ipv6_cidr_blocks prefix_list_ids route_table_ids security_group_ids security_groups subnet_ids subnets values"
)
"""Attributes that are lists of strings."""
SCALARS = words(
    """
    access_point_id arn availability_zone availability_zone_name capacity_provider certificate_arn cidr_block cidr_ipv4 cidr_ipv6
    cluster cluster_name container_port cpu cpu_architecture dns_name execution_role_arn family file_system_id fqdn from_port iam
    id ip_address_type ip_protocol key_id kms_key_id listener_arn load_balancer_arn memory name path policy policy_arn
    priority protocol referenced_security_group_id repository_url resource_arn retention_in_days revision role
    root_directory_path scope secret_id security_group_id security_group_rule_id service_name session_timeout size_in_gib
    source_security_group_id ssl_policy status subnet_id target_group_arn target_key_id task_definition task_role_arn
    throughput_mode to_port transit_encryption type uid gid vpc_id web_acl_arn zone_id container_definitions repository issuer
    authorization_endpoint token_endpoint user_info_endpoint client_id
    """
)
"""Attributes that are a string, a number or a boolean."""
NUMBERS = words(
    "container_port from_port retention_in_days session_timeout size_in_gib to_port uid gid priority revision"
)
"""Of these, the ones that are numbers, also as a string such as -1."""
WORDS = {str: "a string", bool: "a boolean", int: "a number", float: "a number", list: "a list", dict: "a mapping"}


def refusal(attributes: Any, block: str = "") -> str:
    """What is wrong with the attributes of a resource, or of a block in it: the first one of another shape; empty if none is."""
    if not isinstance(attributes, Mapping):
        return f"its attributes are {_word(attributes)}, not a mapping"
    return next(
        (found for name, value in attributes.items() if value is not None and (found := _refused(name, value, block))),
        "",
    )


def _refused(name: str, value: Any, block: str) -> str:
    expected = ""
    if name == "root_directory" and block == "efs_volume_configuration":
        # A path there, and a block of an access point.
        expected = "" if isinstance(value, str) else "a string"
    elif name in BLOCKS:
        if isinstance(value, list) and all(isinstance(item, Mapping) for item in value):
            inner = next((found for item in value if (found := refusal(item, name))), "")
            return f"{inner} (in {name})" if inner else ""
        expected = "a list of blocks"
    elif name in TEXTS and not (isinstance(value, list) and all(isinstance(text, str) for text in value)):
        expected = "a list of strings"
    elif name in NUMBERS and not _is_number(value):
        expected = "a number"
    elif name in SCALARS - NUMBERS and (not isinstance(value, str) or "\n" in value.strip()):
        expected = "a string"
    return f"{name} is {_word(value)}, not {expected}" if expected else ""


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) or (isinstance(value, str) and re.fullmatch(r"-?\d{0,9}", value) is not None)


def _word(value: Any) -> str:
    if isinstance(value, list) and value:
        return f"a list with {_word(value[0])}"
    return WORDS.get(type(value), "null")


def depth(value: Any) -> int:
    """How deep `value` is nested. It isn't recursive, because a deep value would exceed Python's recursion limit."""
    deepest, rest = 0, [(value, 1)]
    while rest:
        item, level = rest.pop()
        deepest = max(deepest, level)
        inner = item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
        rest += [(each, level + 1) for each in inner]
    return deepest
