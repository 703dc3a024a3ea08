"""The resource types of both providers: one row each, with the ID for Pulumi's import.

The import IDs follow the Import section of each type's documentation in the Pulumi Registry. `force_new` lists the
properties whose change replaces the resource, according to the provider's schema. `keep` lists properties (some of them
in `force_new`) that can keep their old value without affecting the resource's purpose.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from adoption.state import StateError, StateResource


@dataclass(frozen=True)
class Kind:
    """One type of the AWS provider, as Terraform and Pulumi name it."""

    pulumi: str
    terraform: tuple[str, ...]
    import_id: str
    """Format string with attributes of the state. `{cluster:last}` is the part after the last slash."""
    key: tuple[str, ...] = ()
    """Properties that together identify a resource of the type; empty if only references identify it."""
    force_new: frozenset[str] = frozenset()
    keep: frozenset[str] = frozenset()
    exact: frozenset[str] = frozenset()
    """Properties whose blocks the provider compares as a whole, with what only the state sets in them."""
    defaults: Mapping[str, str] = field(default_factory=dict)
    """Properties that the program doesn't set, and to which the provider then gives a default, by their default as text."""
    unread: frozenset[str] = frozenset()
    """Properties that AWS doesn't return, so an import doesn't know them and the update sets them again."""
    assigned: frozenset[str] = frozenset()
    """Properties for which AWS chooses a value. The state has an empty one if the provider wrote it before it read the property."""
    holds_data: bool = False
    unique: bool = False
    """AWS allows only one, so a replacement would have to delete the old one first."""

    def id_of(self, resource: StateResource) -> str:
        """The ID with which Pulumi imports `resource`.

        Raises:
            StateError: the state lacks an attribute of it.
        """
        for name in re.findall(r"\{(\w+)", self.import_id):
            if not resource.attributes.get(name):
                raise StateError(
                    f"{resource.address} has no {name}, with which Pulumi imports it: run `terraform apply -refresh-only`, and pull "
                    "the state again"
                )
        return self.import_id.format_map({name: _Part(value) for name, value in resource.attributes.items()})


class _Part(str):
    __slots__ = ()

    def __format__(self, spec: str) -> str:
        return self.rpartition("/")[2] if spec == "last" else str(self)


def _kind(
    pulumi: str,
    terraform: str,
    import_id: str = "{id}",
    *,
    key: str = "",
    force_new: str = "",
    keep: str = "",
    exact: str = "",
    defaults: str = "",
    unread: str = "",
    assigned: str = "",
    data: bool = False,
    unique: bool = False,
) -> Kind:
    """One row of the table. Lists are given as words separated by spaces."""
    lists = {"force_new": force_new, "keep": keep, "exact": exact, "unread": unread, "assigned": assigned}
    words = {name: frozenset(value.split()) for name, value in lists.items()}
    known = {word.partition("=")[0]: word.partition("=")[2] for word in defaults.split()}
    return Kind(
        pulumi,
        tuple(terraform.split()),
        import_id,
        tuple(key.split()),
        holds_data=data,
        unique=unique,
        defaults=known,
        **words,
    )


# Network: a security group's name and description are immutable, and rules reference only its ID.
_GROUP_RULE = "securityGroupId ipProtocol fromPort toPort cidrIpv4 cidrIpv6 referencedSecurityGroupId prefixListId"
_RULES = {
    direction: _kind(
        f"aws:vpc/securityGroup{direction.title()}Rule:SecurityGroup{direction.title()}Rule",
        f"aws_vpc_security_group_{direction}_rule",
        "{security_group_rule_id}",
        key=_GROUP_RULE,
        force_new="securityGroupId",
        keep="description",
    )
    for direction in ("ingress", "egress")
}

# fmt: off
KINDS: tuple[Kind, ...] = (
    # Compute. The service comes first, because the resources that it references are found through it.
    _kind("aws:ecs/service:Service", "aws_ecs_service", "{cluster:last}/{name}",
          force_new="cluster deploymentController launchType capacityProviderStrategies name schedulingStrategy",
          keep="launchType capacityProviderStrategies", unread="forceNewDeployment", assigned="availabilityZoneRebalancing",
          defaults="alarms= orderedPlacementStrategies= placementConstraints= serviceConnectConfiguration= serviceRegistries= "
          "volumeConfiguration= vpcLatticeConfigurations=", unique=True),
    _kind("aws:ecs/cluster:Cluster", "aws_ecs_cluster", "{name}", key="name", force_new="name",
          defaults="configuration= serviceConnectDefaults=", unique=True),
    _kind("aws:ecs/clusterCapacityProviders:ClusterCapacityProviders", "aws_ecs_cluster_capacity_providers",
          "{cluster_name}", key="clusterName", force_new="clusterName", exact="defaultCapacityProviderStrategies"),
    _kind("aws:cloudwatch/logGroup:LogGroup", "aws_cloudwatch_log_group", "{name}", key="name",
          force_new="name logGroupClass", data=True, unique=True),
    # Storage
    _kind("aws:efs/fileSystem:FileSystem", "aws_efs_file_system",
          force_new="availabilityZoneName creationToken encrypted kmsKeyId performanceMode", data=True),
    _kind("aws:efs/accessPoint:AccessPoint", "aws_efs_access_point",
          force_new="fileSystemId posixUser rootDirectory", keep="rootDirectory.creationInfo", data=True),
    _kind("aws:efs/mountTarget:MountTarget", "aws_efs_mount_target", key="fileSystemId subnetId",
          force_new="fileSystemId ipAddress subnetId", unique=True),
    _kind("aws:efs/fileSystemPolicy:FileSystemPolicy", "aws_efs_file_system_policy", key="fileSystemId",
          force_new="fileSystemId"),
    _kind("aws:efs/backupPolicy:BackupPolicy", "aws_efs_backup_policy", key="fileSystemId", force_new="fileSystemId"),
    _kind("aws:ecr/repository:Repository", "aws_ecr_repository", "{name}", key="name",
          force_new="encryptionConfigurations name", keep="encryptionConfigurations", unread="forceDelete", data=True, unique=True),
    _kind("aws:ecr/lifecyclePolicy:LifecyclePolicy", "aws_ecr_lifecycle_policy", "{repository}", key="repository",
          force_new="policy repository", keep="policy"),
    _kind("aws:ecr/repositoryPolicy:RepositoryPolicy", "aws_ecr_repository_policy", "{repository}", key="repository",
          force_new="repository"),
    _kind("aws:kms/alias:Alias", "aws_kms_alias", "{name}", key="name", force_new="name", unique=True),
    _kind("aws:kms/key:Key", "aws_kms_key", "{key_id}", force_new="customerMasterKeySpec keyUsage multiRegion",
          unread="deletionWindowInDays", data=True),
    # Ingress
    _kind("aws:lb/loadBalancer:LoadBalancer", "aws_lb aws_alb", "{arn}",
          force_new="internal loadBalancerType name", unique=True,
          defaults="clientKeepAlive=3600 enableCrossZoneLoadBalancing=true enableHttp2=true enableWafFailOpen=false enableZonalShift=false "
          "enableTlsVersionAndCipherSuiteHeaders=false enableXffClientPort=false preserveHostHeader=false "
          "xffHeaderProcessingMode=append connectionLogs= customerOwnedIpv4Pool= dnsRecordClientRoutingPolicy=any_availability_zone"),
    _kind("aws:lb/listener:Listener", "aws_lb_listener aws_alb_listener", "{arn}", key="loadBalancerArn port",
          force_new="loadBalancerArn", unique=True),
    _kind("aws:lb/listenerRule:ListenerRule", "aws_lb_listener_rule aws_alb_listener_rule", "{arn}",
          key="listenerArn priority", force_new="listenerArn", unique=True),
    _kind("aws:lb/targetGroup:TargetGroup", "aws_lb_target_group aws_alb_target_group", "{arn}",
          force_new="name port protocol targetType vpcId", keep="name port", unique=True,
          defaults="slowStart=0 connectionTermination=false lambdaMultiValueHeadersEnabled=false proxyProtocolV2=false"),
    _kind("aws:wafv2/webAclAssociation:WebAclAssociation", "aws_wafv2_web_acl_association",
          "{web_acl_arn},{resource_arn}", key="resourceArn", force_new="resourceArn webAclArn"),
    _kind("aws:route53/record:Record", "aws_route53_record", "{zone_id}_{name}_{type}", key="zoneId name type",
          force_new="zoneId name type", unique=True),
    # Network
    _kind("aws:ec2/securityGroup:SecurityGroup", "aws_security_group", key="vpcId name",
          force_new="description name vpcId", keep="description name", unique=True),
    _RULES["ingress"],
    _RULES["egress"],
    _kind("aws:ec2/vpcEndpoint:VpcEndpoint", "aws_vpc_endpoint", key="vpcId serviceName",
          force_new="serviceName vpcEndpointType vpcId", keep="policy securityGroupIds subnetIds", unique=True),
    # Permissions
    _kind("aws:iam/role:Role", "aws_iam_role", "{name}", key="name", force_new="name namePrefix path", unique=True,
          defaults="maxSessionDuration=3600 forceDetachPolicies=false permissionsBoundary="),
    _kind("aws:iam/rolePolicy:RolePolicy", "aws_iam_role_policy", "{role}:{name}", key="role name",
          force_new="name role"),
    _kind("aws:iam/policy:Policy", "aws_iam_policy", "{arn}", key="name", force_new="description name path", unique=True),
    _kind("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "aws_iam_role_policy_attachment",
          "{role}/{policy_arn}", key="role policyArn", force_new="policyArn role"),
    # Secrets
    _kind("aws:secretsmanager/secret:Secret", "aws_secretsmanager_secret", "{arn}", key="name", force_new="name",
          unread="recoveryWindowInDays", data=True, unique=True),
)
# fmt: on

BY_PULUMI_TYPE: Mapping[str, Kind] = {kind.pulumi: kind for kind in KINDS}

_OWN_RULES = (
    "The program has separate rules, and this one would let other requests pass. After the first `up`: "
    "`aws elbv2 delete-rule --rule-arn {arn}`"
)
NOT_ADOPTED: Mapping[str, str] = {
    "aws_ecs_task_definition": (
        "The program registers its own revision. Keep the old one for a rollback, then run "
        "`aws ecs deregister-task-definition --task-definition {family}:{revision}`"
    ),
    "aws_iam_role_policy": (
        "The program has its own policies. After the first `up`: "
        "`aws iam delete-role-policy --role-name {role} --policy-name {name}`"
    ),
    "aws_iam_role_policy_attachment": (
        "The program attaches its own policies. After the first `up`: "
        "`aws iam detach-role-policy --role-name {role} --policy-arn {policy_arn}`"
    ),
    "aws_iam_policy": "Unused when it is detached: `aws iam delete-policy --policy-arn {arn}`",
    "aws_kms_key_policy": "The program sets the policy with the key, which replaces this document",
    "aws_secretsmanager_secret": "The program references it by name and doesn't manage it: keep it",
    "aws_secretsmanager_secret_version": "The program never reads the value: keep it",
    "aws_vpc_security_group_egress_rule": (
        "The program has narrower rules. After the first `up`: "
        "`aws ec2 revoke-security-group-egress --group-id {security_group_id} --security-group-rule-ids {id}`"
    ),
    "aws_vpc_security_group_ingress_rule": (
        "The program has no such rule. If no other resource needs it: "
        "`aws ec2 revoke-security-group-ingress --group-id {security_group_id} --security-group-rule-ids {id}`"
    ),
    "aws_alb_listener_rule": _OWN_RULES,
    "aws_lb_listener_rule": _OWN_RULES,
    "aws_security_group": (
        "The program has a separate group. After the first `up`, unless others use it: "
        "`aws ec2 delete-security-group --group-id {id}`"
    ),
    "aws_ssm_parameter": "Other stacks may read it, and it isn't part of Atlantis: keep it",
    "aws_appautoscaling_target": "The service must run a single task: delete it before the first `up`, because it scales the service",
    "aws_appautoscaling_policy": "The service must run a single task: delete it before the first `up`",
    "aws_acm_certificate": "The program references it by ARN (acmCertificateArn): keep it",
    "aws_acm_certificate_validation": "A step in Terraform without a resource in AWS: keep it",
}
"""By type: why the program doesn't adopt a resource, and what to do with it. Placeholders are state attributes."""
