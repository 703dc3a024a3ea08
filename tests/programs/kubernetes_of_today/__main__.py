"""A Kubernetes cluster of today's version, without a separate key."""

import pulumi_aws as aws

vpc = aws.ec2.Vpc("cluster", cidr_block="10.50.0.0/16")
subnets = [aws.ec2.Subnet(f"cluster-{index}", vpc_id=vpc.id, cidr_block=f"10.50.{index}.0/24") for index in range(2)]
cluster = aws.eks.Cluster(
    "cluster",
    version="1.34",
    role_arn="arn:aws:iam::123456789012:role/cluster",
    vpc_config={
        "subnet_ids": [subnet.id for subnet in subnets],
        "endpoint_public_access": False,
        "endpoint_private_access": True,
    },
)
aws.eks.NodeGroup(
    "nodes",
    cluster_name=cluster.name,
    node_role_arn="arn:aws:iam::123456789012:role/nodes",
    subnet_ids=[subnet.id for subnet in subnets],
    scaling_config={"min_size": 1, "max_size": 3, "desired_size": 2},
)
