"""A mail relay with an Elastic IP, whose group a separate resource attaches."""

import pulumi_aws as aws

vpc = aws.ec2.Vpc("mail", cidr_block="10.40.0.0/16")
group = aws.ec2.SecurityGroup("smtp", vpc_id=vpc.id, description="SMTP from everywhere")
relay = aws.ec2.Instance(
    "relay", ami="ami-0123456789abcdef0", instance_type="t4g.small", root_block_device={"encrypted": True}
)
aws.ec2.Eip("relay", instance=relay.id)
aws.ec2.NetworkInterfaceSecurityGroupAttachment(
    "smtp", security_group_id=group.id, network_interface_id=relay.primary_network_interface_id
)
aws.vpc.SecurityGroupIngressRule(
    "smtp", security_group_id=group.id, ip_protocol="tcp", from_port=25, to_port=25, cidr_ipv4="0.0.0.0/0"
)
