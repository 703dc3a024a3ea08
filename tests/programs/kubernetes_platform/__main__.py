"""A Kubernetes platform: a private cluster with encrypted secrets, nodes with IMDSv2, roles for service accounts, shared files."""

import json

import pulumi_aws as aws

TAGS = {"Environment": "dev", "Owner": "platform"}
ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/EXAMPLED539D4633E53DE1B716D3041E"


def trust(principal: dict, action: str = "sts:AssumeRole", **condition: dict) -> str:
    """A trust policy with one statement."""
    statement = {"Effect": "Allow", "Principal": principal, "Action": action, "Condition": condition}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def service_account(name: str, namespace: str, account: str) -> aws.iam.Role:
    """A role that one service account of the cluster may assume."""
    claims = {f"{ISSUER}:sub": f"system:serviceaccount:{namespace}:{account}", f"{ISSUER}:aud": "sts.amazonaws.com"}
    provider = f"arn:aws:iam::123456789012:oidc-provider/{ISSUER}"
    policy = trust({"Federated": provider}, "sts:AssumeRoleWithWebIdentity", StringEquals=claims)
    return aws.iam.Role(name, name=name, assume_role_policy=policy, tags=TAGS)


vpc = aws.ec2.Vpc("platform", cidr_block="10.50.0.0/16", tags=TAGS)
aws.ec2.DefaultSecurityGroup("platform", vpc_id=vpc.id, tags=TAGS)
subnets = [
    aws.ec2.Subnet(f"platform-{index}", vpc_id=vpc.id, cidr_block=f"10.50.{index}.0/24", tags=TAGS)
    for index in range(3)
]
key = aws.kms.Key("secrets", description="Kubernetes secrets", enable_key_rotation=True, tags=TAGS)
control_plane = aws.iam.Role("control-plane", assume_role_policy=trust({"Service": "eks.amazonaws.com"}), tags=TAGS)
nodes_role = aws.iam.Role("nodes", assume_role_policy=trust({"Service": "ec2.amazonaws.com"}), tags=TAGS)
for policy in ("AmazonEKSWorkerNodePolicy", "AmazonEKS_CNI_Policy", "AmazonEC2ContainerRegistryReadOnly"):
    aws.iam.RolePolicyAttachment(policy, role=nodes_role.name, policy_arn=f"arn:aws:iam::aws:policy/{policy}")
cluster = aws.eks.Cluster(
    "platform",
    role_arn=control_plane.arn,
    enabled_cluster_log_types=["api", "audit", "authenticator"],
    encryption_config={"provider": {"key_arn": key.arn}, "resources": ["secrets"]},
    vpc_config={
        "subnet_ids": [subnet.id for subnet in subnets],
        "endpoint_private_access": True,
        "endpoint_public_access": False,
    },
    tags=TAGS,
)
nodes = aws.ec2.SecurityGroup("nodes", vpc_id=vpc.id, description="Nodes", tags=TAGS)
aws.vpc.SecurityGroupIngressRule(
    "node-to-node", security_group_id=nodes.id, referenced_security_group_id=nodes.id, ip_protocol="-1", tags=TAGS
)
template = aws.ec2.LaunchTemplate(
    "nodes",
    metadata_options={"http_tokens": "required", "http_put_response_hop_limit": 2},
    block_device_mappings=[
        {"device_name": "/dev/xvda", "ebs": {"encrypted": "true", "volume_size": 50, "volume_type": "gp3"}},
        {"device_name": "/dev/sdb", "no_device": "true"},
    ],
    vpc_security_group_ids=[nodes.id],
    tags=TAGS,
)
aws.eks.NodeGroup(
    "nodes",
    cluster_name=cluster.name,
    node_role_arn=nodes_role.arn,
    subnet_ids=[subnet.id for subnet in subnets],
    scaling_config={"min_size": 3, "max_size": 9, "desired_size": 3},
    launch_template={"id": template.id, "version": "$Latest"},
    tags=TAGS,
)
files = aws.efs.FileSystem("shared", encrypted=True, tags=TAGS)
aws.efs.BackupPolicy("shared", file_system_id=files.id, backup_policy={"status": "ENABLED"})
aws.efs.FileSystemPolicy(
    "shared",
    file_system_id=files.id,
    policy=json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Deny",
                    "Principal": "*",
                    "Action": "*",
                    "Resource": "*",
                    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
                }
            ],
        }
    ),
)
drivers = service_account("file-driver", "kube-system", "efs-csi-controller-sa")
aws.iam.RolePolicy(
    "file-driver",
    role=drivers.name,
    policy=files.arn.apply(
        lambda arn: json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {"Effect": "Allow", "Action": ["elasticfilesystem:ClientMount"], "Resource": arn},
                    {"Effect": "Allow", "Action": ["elasticfilesystem:DescribeMountTargets"], "Resource": "*"},
                ],
            }
        )
    ),
)
service_account("dns", "kube-system", "external-dns")
aws.cloudwatch.LogGroup("control-plane", retention_in_days=90, tags=TAGS)
