"""More resources of the small stack, one of each type that is read and that it lacks."""

import json
from collections.abc import Mapping
from typing import Any

from tests.adoption.small_stack import (
    ACCOUNT,
    ALB,
    BALANCER,
    FILE_SYSTEM,
    HTTPS,
    PRIVATE,
    REGION,
    TARGETS,
    TASKS,
    VPC,
    arn,
    role_arn,
)

KEY = arn("kms", "key/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9")
RULE = arn("elasticloadbalancing", "listener-rule/app/atlantis/50dc6c495c0c9188/f2f7dc8efc522ab2/9683b2d02a6cabee")
WEB_ACL = arn("wafv2", "regional/webacl/office/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9")
ROLE = "atlantis-tasks-0123"
STATEMENTS = [
    {"Effect": "Allow", "Action": ["s3:PutObject"], "Resource": ["arn:aws:s3:::states/*", "arn:aws:s3:::other-*/*"]},
    {"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": arn("dynamodb", "table/locks")},
]
OIDC = {"issuer": "https://login.example.com", "client_id": "atlantis", "session_timeout": 7200}

WIDER: tuple[tuple[str, Mapping[str, Any]], ...] = (
    (
        "aws_lb_listener_rule.this",
        {
            "id": RULE,
            "arn": RULE,
            "listener_arn": HTTPS,
            "priority": 100,
            "action": [
                {"type": "authenticate-oidc", "authenticate_oidc": [OIDC]},
                {"type": "forward", "target_group_arn": TARGETS, "forward": []},
            ],
            "condition": [{"path_pattern": [{"values": ["/events"]}]}],
        },
    ),
    (
        "aws_route53_record.this",
        {
            "id": "Z0123456789ABCDEFGHIJ_atlantis_A",
            "zone_id": "Z0123456789ABCDEFGHIJ",
            "name": "atlantis",
            "fqdn": "atlantis.example.org",
            "type": "A",
            "alias": [
                {
                    "name": f"atlantis-1234567890.{REGION}.elb.amazonaws.com",
                    "zone_id": "Z1",
                    "evaluate_target_health": True,
                }
            ],
        },
    ),
    (
        "aws_vpc_endpoint.logs",
        {
            "id": "vpce-0aa0bb0cc0dd0ee71",
            "vpc_id": VPC,
            "service_name": f"com.amazonaws.{REGION}.logs",
            "vpc_endpoint_type": "Interface",
            "subnet_ids": PRIVATE,
            "security_group_ids": ["sg-0aa0bb0cc0dd0ee39"],
        },
    ),
    (
        "aws_vpc_endpoint.s3",
        {
            "id": "vpce-0aa0bb0cc0dd0ee72",
            "vpc_id": VPC,
            "service_name": f"com.amazonaws.{REGION}.s3",
            "vpc_endpoint_type": "Gateway",
            "route_table_ids": ["rtb-0aa0bb0cc0dd0ee81"],
        },
    ),
    ("aws_wafv2_web_acl_association.this", {"id": "x", "resource_arn": BALANCER, "web_acl_arn": WEB_ACL}),
    (
        "aws_ecr_repository.this",
        {"id": "atlantis", "name": "atlantis", "repository_url": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/atlantis"},
    ),
    ("aws_kms_key.this", {"id": KEY.rpartition("/")[2], "key_id": KEY.rpartition("/")[2], "arn": KEY}),
    ("aws_kms_alias.this", {"id": "alias/efs-atlantis", "name": "alias/efs-atlantis", "target_key_id": KEY}),
    (
        "aws_iam_role_policy.this",
        {"id": f"{ROLE}:state", "name": "state", "role": ROLE, "policy": json.dumps({"Statement": STATEMENTS})},
    ),
    (
        "aws_iam_role_policy_attachment.this",
        {"id": "x", "role": ROLE, "policy_arn": "arn:aws:iam::aws:policy/ReadOnlyAccess"},
    ),
    (
        "aws_security_group_rule.inline",
        {
            "id": "sgrule-2",
            "type": "ingress",
            "security_group_id": ALB,
            "protocol": "tcp",
            "from_port": 443,
            "to_port": 443,
            "cidr_blocks": ["203.0.113.0/24", "198.51.100.0/24"],
            "security_group_rule_id": "",
        },
    ),
    (
        "aws_security_group.old",
        {
            "id": "sg-0aa0bb0cc0dd0ee39",
            "name": "old",
            "vpc_id": VPC,
            "ingress": [
                {
                    "protocol": "tcp",
                    "from_port": 1,
                    "to_port": 2,
                    "cidr_blocks": ["10.0.0.0/8"],
                    "security_groups": [TASKS],
                }
            ],
            "egress": [],
        },
    ),
    (
        "aws_efs_backup_policy.this",
        {"id": FILE_SYSTEM, "file_system_id": FILE_SYSTEM, "backup_policy": [{"status": "ENABLED"}]},
    ),
    (
        "aws_iam_policy.this",
        {"id": f"arn:aws:iam::{ACCOUNT}:policy/x", "arn": f"arn:aws:iam::{ACCOUNT}:policy/x", "name": "x"},
    ),
    ("aws_iam_role.other", {"id": "other", "name": "other", "arn": role_arn("other"), "path": "/"}),
)
