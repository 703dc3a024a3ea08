"""The load balancer of the small stack."""

from collections.abc import Mapping
from typing import Any

from tests.adoption.small_stack import ALB, BALANCER, CERTIFICATE, HTTP, HTTPS, PUBLIC, REGION, TARGETS, VPC

INGRESS: tuple[tuple[str, Mapping[str, Any], tuple[str, ...]], ...] = (
    (
        "aws_lb.this",
        {
            "id": BALANCER,
            "arn": BALANCER,
            "name": "atlantis",
            "dns_name": f"atlantis-1234567890.{REGION}.elb.amazonaws.com",
            "internal": False,
            "load_balancer_type": "application",
            "ip_address_type": "ipv4",
            "security_groups": [ALB],
            "subnets": PUBLIC,
            "access_logs": [{"bucket": "", "enabled": False, "prefix": ""}],
        },
        ("aws_security_group.alb",),
    ),
    (
        "aws_lb_target_group.this",
        {
            "id": TARGETS,
            "arn": TARGETS,
            "name": "atlantis-main",
            "port": 4141,
            "protocol": "HTTP",
            "target_type": "ip",
            "vpc_id": VPC,
            "deregistration_delay": "10",
            "health_check": [
                {
                    "enabled": True,
                    "path": "/healthz",
                    "protocol": "HTTP",
                    "port": "traffic-port",
                    "matcher": "200",
                    "interval": 30,
                    "timeout": 5,
                    "healthy_threshold": 5,
                    "unhealthy_threshold": 2,
                }
            ],
        },
        (),
    ),
    (
        "aws_lb_listener.https",
        {
            "id": HTTPS,
            "arn": HTTPS,
            "load_balancer_arn": BALANCER,
            "port": 443,
            "protocol": "HTTPS",
            "certificate_arn": CERTIFICATE,
            "ssl_policy": "ELBSecurityPolicy-TLS13-1-2-Res-2021-06",
            "default_action": [{"type": "forward", "target_group_arn": TARGETS}],
        },
        ("aws_lb.this", "aws_lb_target_group.this"),
    ),
    (
        "aws_lb_listener.http",
        {
            "id": HTTP,
            "arn": HTTP,
            "load_balancer_arn": BALANCER,
            "port": 80,
            "protocol": "HTTP",
            "default_action": [
                {"type": "redirect", "redirect": [{"port": "443", "protocol": "HTTPS", "status_code": "HTTP_301"}]}
            ],
        },
        ("aws_lb.this",),
    ),
)
