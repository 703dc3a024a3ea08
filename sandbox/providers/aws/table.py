"""The table: every resource type and function that the stand-in knows. Another one is another entry here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.providers.aws import (
    acm,
    ec2_endpoints,
    ec2_network,
    ec2_routes,
    ec2_security,
    ecr,
    ecs,
    ecs_service,
    efs,
    elasticache,
    elb,
    elb_rules,
    elb_targets,
    iam,
    kms,
    logs,
    lookups,
    route53,
    s3,
    secretsmanager,
)
from sandbox.providers.aws.base import AwsResource
from sandbox.providers.resource import Function

_RESOURCES: tuple[type[AwsResource], ...] = (
    acm.Certificate,
    acm.CertificateValidation,
    ec2_endpoints.VpcEndpoint,
    ec2_network.Eip,
    ec2_network.InternetGateway,
    ec2_network.NatGateway,
    ec2_network.Subnet,
    ec2_network.Vpc,
    ec2_routes.Route,
    ec2_routes.RouteTable,
    ec2_routes.RouteTableAssociation,
    ec2_security.DefaultSecurityGroup,
    ec2_security.SecurityGroup,
    ec2_security.SecurityGroupEgressRule,
    ec2_security.SecurityGroupIngressRule,
    ecr.LifecyclePolicy,
    ecr.Repository,
    ecr.RepositoryPolicy,
    ecs.Cluster,
    ecs.ClusterCapacityProviders,
    ecs.TaskDefinition,
    ecs_service.Service,
    efs.AccessPoint,
    efs.BackupPolicy,
    efs.FileSystem,
    efs.FileSystemPolicy,
    efs.MountTarget,
    elasticache.ReplicationGroup,
    elasticache.SubnetGroup,
    elb.LoadBalancer,
    elb_targets.TargetGroup,
    elb_rules.Listener,
    elb_rules.ListenerRule,
    iam.Role,
    iam.RolePolicy,
    iam.Policy,
    iam.RolePolicyAttachment,
    kms.Alias,
    kms.Key,
    logs.LogGroup,
    route53.Record,
    s3.Bucket,
    s3.BucketLifecycleConfiguration,
    s3.BucketOwnershipControls,
    s3.BucketPolicy,
    s3.BucketPublicAccessBlock,
    s3.BucketServerSideEncryptionConfiguration,
    s3.BucketVersioning,
    secretsmanager.Secret,
    secretsmanager.SecretPolicy,
    secretsmanager.SecretVersion,
)

_FUNCTIONS: tuple[type[Function[Any]], ...] = (
    iam.GetSessionContext,
    lookups.GetAvailabilityZones,
    lookups.GetCallerIdentity,
    lookups.GetManagedPrefixList,
    lookups.GetPartition,
    lookups.GetRegion,
    lookups.GetRouteTable,
    lookups.GetRouteTables,
    lookups.GetSubnet,
    lookups.GetVpc,
    route53.GetZone,
    secretsmanager.GetSecret,
)

RESOURCES: Mapping[str, type[AwsResource]] = {entry.sdk_name: entry for entry in _RESOURCES}
FUNCTIONS: Mapping[str, type[Function[Any]]] = {entry.sdk_name: entry for entry in _FUNCTIONS}
