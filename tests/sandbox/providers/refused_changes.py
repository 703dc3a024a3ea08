"""Changes that the comparison with the official provider leaves out, as either side refuses the made-up value: reason to attributes."""

from collections.abc import Mapping

REFUSED: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "the stand-in carries out only ECS services, and target tracking": {
        "aws_appautoscaling_policy": ("policy_type", "scalable_dimension", "service_namespace"),
        "aws_appautoscaling_target": ("scalable_dimension", "service_namespace"),
    },
    "the stand-in carries out only false": {
        "aws_route53_zone": ("force_destroy",),
        "aws_subnet": (
            "assign_ipv6_address_on_creation",
            "enable_dns64",
            "enable_resource_name_dns_a_record_on_launch",
            "enable_resource_name_dns_aaaa_record_on_launch",
        ),
    },
    "needs another argument to change with it": {
        "aws_ecs_service": ("availability_zone_rebalancing",),
        "aws_ecs_task_definition": ("network_mode",),
        "aws_efs_file_system": ("encrypted",),
        "aws_elasticache_replication_group": (
            "at_rest_encryption_enabled",
            "automatic_failover_enabled",
            "transit_encryption_enabled",
            "transit_encryption_mode",
        ),
        "aws_lb_listener": ("protocol",),
        "aws_nat_gateway": (
            "connectivity_type",
            "secondary_private_ip_address_count",
        ),
        "aws_vpc": (
            "ipv6_cidr_block",
            "ipv6_netmask_length",
        ),
        "aws_vpc_endpoint": ("vpc_endpoint_type",),
    },
    "excludes an argument that the example has, which would have to go": {
        "aws_cloudwatch_metric_alarm": (
            "extended_statistic",
            "threshold_metric_id",
        ),
        "aws_elasticache_replication_group": (
            "global_replication_group_id",
            "num_node_groups",
            "replicas_per_node_group",
        ),
        "aws_route": (
            "carrier_gateway_id",
            "core_network_arn",
            "destination_ipv6_cidr_block",
            "destination_prefix_list_id",
            "egress_only_gateway_id",
            "local_gateway_id",
            "nat_gateway_id",
            "network_interface_id",
            "transit_gateway_id",
            "vpc_endpoint_id",
            "vpc_peering_connection_id",
        ),
        "aws_route_table_association": ("gateway_id",),
        "aws_secretsmanager_secret_version": ("secret_binary",),
        "aws_subnet": ("availability_zone_id",),
        "aws_vpc": ("ipv4_netmask_length",),
        "aws_vpc_endpoint": (
            "resource_configuration_arn",
            "service_network_arn",
        ),
        "aws_vpc_security_group_egress_rule": (
            "cidr_ipv4",
            "cidr_ipv6",
            "prefix_list_id",
        ),
        "aws_vpc_security_group_ingress_rule": (
            "cidr_ipv6",
            "prefix_list_id",
            "referenced_security_group_id",
        ),
    },
    "is of one form or of few values, and the made-up value has none of them": {
        "aws_elasticache_replication_group": (
            "engine",
            "engine_version",
            "maintenance_window",
            "notification_topic_arn",
            "snapshot_window",
        ),
        "aws_flow_log": (
            "deliver_cross_account_role",
            "max_aggregation_interval",
        ),
        "aws_kinesis_firehose_delivery_stream": ("destination",),
        "aws_lb": (
            "client_keep_alive",
            "desync_mitigation_mode",
            "xff_header_processing_mode",
        ),
        "aws_lb_target_group": (
            "load_balancing_algorithm_type",
            "load_balancing_anomaly_mitigation",
            "load_balancing_cross_zone_enabled",
            "protocol_version",
            "slow_start",
        ),
        "aws_s3_bucket_lifecycle_configuration": ("expected_bucket_owner",),
        "aws_s3_bucket_server_side_encryption_configuration": ("expected_bucket_owner",),
        "aws_s3_bucket_versioning": ("expected_bucket_owner",),
        "aws_secretsmanager_secret": (
            "policy",
            "recovery_window_in_days",
        ),
        "aws_subnet": (
            "ipv6_cidr_block",
            "outpost_arn",
        ),
        "aws_sns_topic": ("policy",),
        "aws_vpc_endpoint": ("policy",),
        "aws_vpc_security_group_ingress_rule": ("cidr_ipv4",),
    },
    "is of another kind of load balancer": {
        "aws_lb_listener": ("alpn_policy",),
        "aws_lb_target_group": (
            "lambda_multi_value_headers_enabled",
            "proxy_protocol_v2",
        ),
    },
}
"""By Terraform's resource type. A row that is no longer needed fails, as does a new one that isn't here."""
