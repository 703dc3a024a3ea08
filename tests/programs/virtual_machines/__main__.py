"""Virtual machines behind a bastion, in an account that encrypts every disk."""

import pulumi_aws as aws

aws.ebs.EncryptionByDefault("account")
vpc = aws.ec2.Vpc("machines", cidr_block="10.20.0.0/16")
subnet = aws.ec2.Subnet("machines", vpc_id=vpc.id, cidr_block="10.20.1.0/24")
group = aws.ec2.SecurityGroup("machines", vpc_id=vpc.id, description="Machines")
template = aws.ec2.LaunchTemplate(
    "machines",
    image_id="ami-0123456789abcdef0",
    instance_type="t4g.small",
    vpc_security_group_ids=[group.id],
    block_device_mappings=[{"device_name": "/dev/xvda", "ebs": {"volume_size": 20, "volume_type": "gp3"}}],
    metadata_options={"http_tokens": "required"},
)
aws.autoscaling.Group(
    "machines", min_size=1, max_size=4, vpc_zone_identifiers=[subnet.id], launch_template={"id": template.id}
)
bastion = aws.ec2.Instance(
    "bastion",
    ami="ami-0123456789abcdef0",
    instance_type="t4g.nano",
    subnet_id=subnet.id,
    root_block_device={"volume_size": 8},
)
volume = aws.ebs.Volume("data", availability_zone="eu-west-1a", size=50)
aws.ec2.VolumeAttachment("data", device_name="/dev/sdf", volume_id=volume.id, instance_id=bastion.id)
