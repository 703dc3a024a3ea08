"""Name collisions: existing resources with the names that the deployment uses."""

from collections.abc import Iterable, Mapping
from typing import Any

from components.names import PhysicalNames
from components.settings import Settings
from components.settings.schema import known_items
from components.settings.workers import ROLES
from preflight.check import Check
from preflight.deployment import Deployment
from preflight.errors import FailedError, NotCheckedError, WarnedError
from preflight.network import route_table_of, vpc


def endpoints(deployment: Deployment) -> str:
    """No endpoint in the VPC conflicts with the deployment's: a VPC supports one private DNS name per service."""
    wanted = {deployment.names.service_endpoint(name): name for name in deployment.settings.vpc_endpoints}
    if not wanted:
        raise NotCheckedError("no endpoint is created")
    existing = deployment.aws.read(
        "ec2",
        "describe_vpc_endpoints",
        Filters=[{"Name": "vpc-id", "Values": [deployment.settings.network.vpc_id or ""]}],
    )["VpcEndpoints"]
    in_the_way = {
        wanted[endpoint["ServiceName"]]: endpoint["VpcEndpointId"]
        for endpoint in existing
        if endpoint["ServiceName"] in wanted
        and endpoint.get("State", "").lower() not in ("deleted", "deleting", "failed", "rejected")
        and endpoint["VpcEndpointId"] not in deployment.adopted
        and not deployment.owns(endpoint.get("Tags", []))
        and _excludes(deployment, endpoint)
    }
    if in_the_way:
        rest = [name for name in deployment.settings.vpc_endpoints if name not in in_the_way]
        raise FailedError(
            f"{deployment.settings.network.vpc_id} already has {', '.join(f'{name} ({found})' for name, found in in_the_way.items())}; "
            "AWS allows only one per VPC",
            f"remove them from vpcEndpoints: [{', '.join(rest)}]",
        )
    return f"no other endpoint for {', '.join(deployment.settings.vpc_endpoints)}"


def repository(deployment: Deployment) -> str:
    """The repository's name is free, or the stack's own."""
    names, tags = deployment.names, None
    wanted = {"registryId": names.account, "repositoryNames": [names.repository]}
    answer = deployment.aws.find("ecr", "describe_repositories", **wanted)
    if answer is not None:
        arn = answer["repositories"][0]["repositoryArn"]
        tags = deployment.aws.read("ecr", "list_tags_for_resource", resourceArn=arn)["tags"]
    return _free_or_own(deployment, "repository", names.repository, tags)


def key_aliases(deployment: Deployment) -> str:
    """The key aliases are free, or the stack's own."""
    mine = [deployment.names.key_alias(store) for store in key_stores(deployment.settings, deployment.names)]
    found = {
        alias["AliasName"]: alias["TargetKeyId"]
        for alias in deployment.aws.read("kms", "list_aliases")["Aliases"]
        if alias["AliasName"] in mine and "TargetKeyId" in alias
    }
    for alias, key_id in found.items():
        tags = deployment.aws.read("kms", "list_resource_tags", KeyId=key_id)["Tags"]
        _own_or_warn(deployment, f"the key alias {alias}", tags)
    return f"{', '.join(found)} of this stack" if found else f"{', '.join(mine)} are free"


def secrets(deployment: Deployment) -> str:
    """The names of the secrets that the deployment creates are free, or the stack's own."""
    names = created_secrets(deployment.settings, deployment.names)
    found = []
    for name in names:
        described = deployment.aws.find("secretsmanager", "describe_secret", SecretId=name)
        if described is None:
            continue
        if "DeletedDate" in described:
            raise FailedError(
                f"{name} is scheduled for deletion, and its name is reserved until then",
                f"aws secretsmanager restore-secret --secret-id {name}, or delete it for good: aws secretsmanager delete-secret "
                f"--secret-id {name} --force-delete-without-recovery",
            )
        _own_or_warn(deployment, f"the secret {name}", described.get("Tags", []))
        found.append(name)
    if not names:
        raise NotCheckedError("the deployment creates no secret")
    return f"{', '.join(found)} of this stack" if found else f"{', '.join(names)} are free"


def roles(deployment: Deployment) -> str:
    """The roles' names are free, or the stack's own."""
    found = []
    names = deployment.names
    isolated = (*map(names.terraform_role, ROLES), *map(names.worker_role, ROLES))
    isolated = isolated if deployment.settings.terraform.isolates else ()
    drift = (names.drift_role,) if deployment.settings.drift.enabled else ()
    backup = (names.backup_role,) if deployment.settings.storage.backup_retention_days else ()
    for name in (names.execution_role, names.task_role, *isolated, *drift, *backup):
        answer = deployment.aws.find("iam", "get_role", RoleName=name)
        if answer is not None:
            _own_or_warn(deployment, f"the role {name}", answer["Role"].get("Tags", []))
            found.append(name)
    if found and not deployment.settings.regional_iam_names and _cluster(deployment) is None:
        raise WarnedError(
            f"{', '.join(found)} exist with this stack's tags, but {names.region} has no cluster {names.base}: the environment is deployed "
            "to another region of the account, or an earlier deployment ended half-way",
            "set regionalIamNames to true if another region has the environment; otherwise, continue",
        )
    return f"{', '.join(found)} of this stack" if found else "the names are free"


def cluster(deployment: Deployment) -> str:
    """The cluster's name is free, or the stack's own."""
    if deployment.settings.existing.cluster_name:
        raise NotCheckedError("the deployment creates no cluster")
    found = _cluster(deployment)
    return _free_or_own(deployment, "cluster", deployment.names.base, None if found is None else found.get("tags", []))


def load_balancer(deployment: Deployment) -> str:
    """The load balancer's name is free, or the stack's own."""
    if deployment.settings.existing.https_listener_arn or not deployment.settings.ingress.has_load_balancer:
        raise NotCheckedError("the deployment creates no load balancer")
    name, tags = deployment.names.base, None
    answer = deployment.aws.find("elbv2", "describe_load_balancers", Names=[name])
    if answer is not None and answer["LoadBalancers"]:
        arn = answer["LoadBalancers"][0]["LoadBalancerArn"]
        tags = deployment.aws.read("elbv2", "describe_tags", ResourceArns=[arn])["TagDescriptions"][0]["Tags"]
    return _free_or_own(deployment, "load balancer", name, tags)


def log_group(deployment: Deployment) -> str:
    """The log group's name is free, or the stack's own."""
    name, tags = deployment.names.log_group, None
    groups = deployment.aws.read("logs", "describe_log_groups", logGroupNamePrefix=name)["logGroups"]
    if name in {group["logGroupName"] for group in groups}:
        answer = deployment.aws.read("logs", "list_tags_for_resource", resourceArn=deployment.names.log_group_arn)
        tags = [{"Key": key, "Value": value} for key, value in answer["tags"].items()]
    return _free_or_own(deployment, "log group", name, tags)


def locking_database(deployment: Deployment) -> str:
    """The name of the locking database is free, or the stack's own."""
    if not deployment.settings.storage.uses_redis:
        return "lockingDatabase is boltdb, so the stack creates none"
    name, tags = deployment.names.base, None
    answer = deployment.aws.find("elasticache", "describe_replication_groups", ReplicationGroupId=name)
    if answer is not None:
        arn = answer["ReplicationGroups"][0]["ARN"]
        tags = deployment.aws.read("elasticache", "list_tags_for_resource", ResourceName=arn)["TagList"]
    return _free_or_own(deployment, "replication group", name, tags)


CHECKS = (
    Check("names", "VPC endpoints", endpoints, needs=(vpc,)),
    Check("names", "repository", repository),
    Check("names", "key aliases", key_aliases),
    Check("names", "secrets", secrets),
    Check("names", "roles", roles),
    Check("names", "cluster", cluster),
    Check("names", "load balancer", load_balancer),
    Check("names", "log group", log_group),
    Check("names", "locking database", locking_database),
)


def created_secrets(settings: Settings, names: PhysicalNames) -> list[str]:
    """The names of the secrets that the deployment creates."""
    credentials = names.secret("github-app" if settings.vcs.is_app else "vcs-token")
    created = {
        credentials: not settings.credentials_secret_name,
        names.secret("webhook-secret"): not settings.server.webhook_secret_name,
        names.secret("web-password"): settings.sign_in.generates_password,
        names.secret("api"): settings.drift.enabled,
        names.secret("workers"): settings.terraform.isolates,
        names.secret("redis"): settings.storage.uses_redis,
    }
    return [name for name, is_created in created.items() if is_created]


def key_stores(settings: Settings, names: PhysicalNames) -> list[str]:
    """What the deployment creates a key for; the locking database's is also for its secret."""
    created = {
        "ecr": True,
        "efs": True,
        "secrets": {*created_secrets(settings, names)} - {names.secret("redis")},
        "logs": not settings.existing.log_key_arn,
        "locking": settings.storage.uses_redis,
        "backup": settings.storage.backup_retention_days,
        "flow-logs": not settings.network.vpc_id,
    }
    return [store for store, is_created in created.items() if is_created]


def _cluster(deployment: Deployment) -> Mapping[str, Any] | None:
    name = deployment.names.base
    clusters = deployment.aws.read("ecs", "describe_clusters", clusters=[name], include=["TAGS"])["clusters"]
    # ECS still describes a deleted cluster for some time, but its name can be reused.
    return clusters[0] if clusters and clusters[0]["status"] != "INACTIVE" else None


def _excludes(deployment: Deployment, endpoint: Mapping[str, Any]) -> bool:
    """Whether this endpoint prevents the deployment from creating its own."""
    if endpoint["VpcEndpointType"] != "Gateway":
        return endpoint.get("PrivateDnsEnabled", True)
    mine = {
        route_table_of(deployment, subnet).get("RouteTableId")
        for subnet in known_items(deployment.settings.network.private_subnet_ids)
    }
    return bool(mine & set(endpoint.get("RouteTableIds", [])))


def _free_or_own(deployment: Deployment, kind: str, name: str, tags: Iterable[Mapping[str, str]] | None) -> str:
    """Whose the name is: nobody's if `tags` is None."""
    return f"{name} is free" if tags is None else _own_or_warn(deployment, f"the {kind} {name}", tags)


def _own_or_warn(deployment: Deployment, what: str, tags: Iterable[Mapping[str, str]]) -> str:
    if not deployment.owns(tags):
        raise WarnedError(
            f"{what} exists, and doesn't have this stack's tags",
            "if it belongs to this stack, import it with `pulumi import`; otherwise, delete or rename it, or the deployment fails",
        )
    return f"{what} is this stack's"
