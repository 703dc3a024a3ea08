"""Images that are built from an encrypted instance and copied to another Region."""

import pulumi_aws as aws

builder = aws.ec2.Instance(
    "builder", ami="ami-0123456789abcdef0", instance_type="t4g.small", root_block_device={"encrypted": True}
)
image = aws.ec2.AmiFromInstance("golden", name="golden", source_instance_id=builder.id)
copy = aws.ec2.AmiCopy("golden", name="golden-copy", source_ami_id=image.id, source_ami_region="eu-west-1")
disk = aws.ebs.Volume("tools", availability_zone="eu-west-1a", size=10, encrypted=True)
snapshot = aws.ebs.Snapshot("tools", volume_id=disk.id)
aws.ebs.SnapshotCopy("tools", source_snapshot_id=snapshot.id, source_region="eu-west-1")
aws.ebs.Volume("tools-restored", availability_zone="eu-west-1b", snapshot_id=snapshot.id)
