"""A load balancer that only CloudFront reaches, in another Region than most."""

import pulumi_aws as aws

vpc = aws.ec2.Vpc("app", cidr_block="10.60.0.0/16", assign_generated_ipv6_cidr_block=True)
group = aws.ec2.SecurityGroup("edge", vpc_id=vpc.id, description="CloudFront only")
# com.amazonaws.global.cloudfront.origin-facing in eu-north-1
aws.vpc.SecurityGroupIngressRule(
    "https", security_group_id=group.id, ip_protocol="tcp", from_port=443, to_port=443, prefix_list_id="pl-fab65393"
)
aws.vpc.SecurityGroupIngressRule(
    "mtu", security_group_id=group.id, ip_protocol="icmp", from_port=3, to_port=4, cidr_ipv4="0.0.0.0/0"
)
balancer = aws.lb.LoadBalancer("app", security_groups=[group.id], enable_deletion_protection=True)
aws.lb.Listener(
    "https",
    load_balancer_arn=balancer.arn,
    port=443,
    protocol="HTTPS",
    ssl_policy="ELBSecurityPolicy-TLS13-1-2-2021-06",
    certificate_arn="arn:aws:acm:eu-north-1:123456789012:certificate/1",
    default_actions=[
        {"type": "fixed-response", "fixed_response": {"content_type": "text/plain", "status_code": "403"}}
    ],
)
aws.cloudfront.Distribution(
    "app",
    enabled=True,
    origins=[
        {
            "origin_id": "app",
            "domain_name": "app.example.com",
            "custom_origin_config": {
                "http_port": 80,
                "https_port": 443,
                "origin_protocol_policy": "https-only",
                "origin_ssl_protocols": ["TLSv1.2"],
            },
        }
    ],
    default_cache_behavior={
        "target_origin_id": "app",
        "viewer_protocol_policy": "redirect-to-https",
        "allowed_methods": ["GET", "HEAD"],
        "cached_methods": ["GET", "HEAD"],
    },
    restrictions={"geo_restriction": {"restriction_type": "none"}},
    viewer_certificate={
        "acm_certificate_arn": "arn:aws:acm:us-east-1:123456789012:certificate/2",
        "ssl_support_method": "sni-only",
        "minimum_protocol_version": "TLSv1.2_2021",
    },
)
