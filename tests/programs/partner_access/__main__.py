"""An endpoint service for a partner, in front of an internal Network Load Balancer."""

import pulumi_aws as aws

vpc = aws.ec2.Vpc("partner", cidr_block="10.70.0.0/16")
balancer = aws.lb.LoadBalancer("partner", internal=True, load_balancer_type="network")
target = aws.lb.TargetGroup("partner", port=443, protocol="TCP", target_type="ip", vpc_id=vpc.id)
aws.lb.Listener(
    "tls",
    load_balancer_arn=balancer.arn,
    port=443,
    protocol="TCP",
    default_actions=[{"type": "forward", "target_group_arn": target.arn}],
)
aws.ec2.VpcEndpointService(
    "partner",
    acceptance_required=True,
    network_load_balancer_arns=[balancer.arn],
    allowed_principals=["arn:aws:iam::210987654321:root"],
)
