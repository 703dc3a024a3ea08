"""The groups of settings that the components accept.

`Input` marks what is only passed on to resources, so that outputs of other resources are accepted, also as items of a list.
The resources, their names or the checks of other settings depend on everything else, which must be known before the deployment.
"""

import ipaddress
import re
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import urlsplit

import pulumi
from pulumi import Input

from ..configuration.vcs import APP, KINDS, Vcs
from . import accepted, allowlist, values
from .extra_containers import ExtraContainerArgs, extra_containers
from .schema import Group, group, setting
from .workers import isolation


def _host(url: str) -> str:
    return url.removeprefix("https://")


@group
class NetworkArgs(Group):
    """The VPC that Atlantis runs in: an existing one, or a new one."""

    vpc_id: Input[str] | None = setting(accepted.vpc_id, default=None)
    """Existing VPC. Empty: a new one with public and private subnets in two Availability Zones and one NAT gateway"""
    public_subnet_ids: Sequence[Input[str]] = setting(accepted.subnet_ids, default=())
    """The load balancer's subnets, in at least two Availability Zones. Only with vpcId"""
    private_subnet_ids: Sequence[Input[str]] = setting(accepted.subnet_ids, default=())
    """Subnets of task, mount targets and VPC endpoints, in at least two Availability Zones. Only with vpcId"""
    vpc_cidr_block: str = setting(values.cidr_block, default="10.64.0.0/16")
    """Private IPv4 CIDR block of a new VPC, /16 to /22"""
    vpc_endpoints: Sequence[str] = setting(
        values.list_of(values.one_of((*accepted.VPC_ENDPOINTS, accepted.PARAMETERS_ENDPOINT, accepted.AUTO_ENDPOINTS))),
        default=(accepted.AUTO_ENDPOINTS,),
    )
    """VPC endpoints to create: ecr.api, ecr.dkr, s3, secretsmanager, logs, ssm. auto: what the task needs in a new VPC, none in an
    existing one. []: none"""

    @property
    def endpoints(self) -> Sequence[str]:
        """The VPC endpoints to create."""
        if accepted.AUTO_ENDPOINTS not in self.vpc_endpoints:
            return self.vpc_endpoints
        return () if self.vpc_id else accepted.VPC_ENDPOINTS


@group
class IngressArgs(Group):
    """Access to the server: allowed ranges, host name, certificate and load balancer."""

    allowed_cidr_blocks: Sequence[str] = setting(values.list_of(values.cidr_block, at_least=1))
    """Required. CIDR blocks from which people use the server, IPv4 and IPv6, without host bits"""
    allow_public_access: bool = setting(values.boolean, default=False)
    """Accept allowedCidrBlocks that open the server to the internet"""
    github_webhook_cidr_blocks: Sequence[str] = setting(accepted.cidr_blocks, default=())
    """CIDR blocks of GitHub's webhooks, for POST /events only. Empty: those that GitHub publishes
    (components/configuration/webhook_ranges.json)"""
    url: Input[str] = setting(values.https_url)
    """Required. The server's URL: https:// and a host name that the certificate covers"""
    acm_certificate_arn: Input[str] | None = setting(accepted.certificate_arn, default=None)
    """ACM certificate for the host of url, in the stack's region. Empty: a new one, validated through hostedZoneId"""
    hosted_zone_id: Input[str] | None = setting(accepted.hosted_zone_id, default=None)
    """Route 53 hosted zone for alias records of the host of url. Empty: no records"""
    ip_address_type: str = setting(values.one_of(("ipv4", "dualstack")), default="ipv4")
    """ipv4, or dualstack if the VPC's public subnets have IPv6 CIDR blocks. dualstack adds AAAA records"""
    web_acl_arn: Input[str] | None = setting(accepted.web_acl_arn, default=None)
    """Existing regional web ACL (AWS WAF), which must allow webhooks larger than 8 KB. Empty: none"""
    load_balancer_scheme: str = setting(
        values.one_of(("internet-facing", "internal", "none")), default="internet-facing"
    )
    """internet-facing; internal, for GitHub Enterprise in your network: private subnets and ranges only; or none: the private
    ranges of allowedCidrBlocks reach the task over HTTP. A change replaces the load balancer"""
    load_balancer_idle_timeout: int = setting(values.integer(range(1, 4001)), default=3600)
    """Seconds, 1 to 4000, until an idle connection is closed, such as the live log of a job without output"""
    ssl_policy: str = setting(values.one_of(accepted.SSL_POLICIES), default=accepted.SSL_POLICIES[0])
    """The HTTPS listener's security policy, with TLS 1.3 and no version below 1.2"""

    @property
    def host(self) -> Input[str]:
        """Host of the URL, for which the certificate and the alias records are."""
        return _host(self.url) if isinstance(self.url, str) else pulumi.Output.from_input(self.url).apply(_host)

    @property
    def has_load_balancer(self) -> bool:
        """Whether requests come through a load balancer, the stack's own or an existing one."""
        return self.load_balancer_scheme != "none"

    @property
    def allowed_sources(self) -> list[str]:
        """The allowed CIDR blocks that can reach the load balancer."""
        return self.reachable_from(self.allowed_cidr_blocks)

    def reachable_from(self, blocks: Iterable[str]) -> list[str]:
        """The `blocks` that can reach the load balancer: IPv6 requires that it has IPv6 addresses."""
        versions = (4, 6) if self.ip_address_type == "dualstack" else (4,)
        return [block for block in blocks if ipaddress.ip_network(block).version in versions]


@group
class ServerArgs(Group):
    """The Atlantis server: its repositories and its credentials."""

    repo_allowlist: str = setting(allowlist.repo_allowlist)
    """Required. Repositories to serve, separated by commas: github.com/my-organization/*, with * only at the end. ! excludes"""
    serve_every_owner: bool = setting(values.boolean, default=False)
    """Accept an entry for all owners of your own host in repoAllowlist, such as ghe.example.com/*"""
    github_hostname: str = setting(values.host, default="github.com")
    """Host name of GitHub, or of GitHub Enterprise, which also requires githubWebhookCidrBlocks"""
    github_app_secret_name: Input[str] | None = setting(accepted.secret_name, default=None)
    """Existing secret with app_id, installation_id and private_key. Empty: a new one without a value, which you set"""
    webhook_secret_name: Input[str] | None = setting(accepted.secret_name, default=None)
    """Existing secret with webhook_secret. Empty: a generated one"""
    webhook_secret_generation: int = setting(accepted.generation, default=1)
    """Increase it for a new webhook secret"""
    secret_reader_arns: Sequence[Input[str]] = setting(accepted.principal_arns, default=())
    """Roles and users that deploy the stack. Required for generated secrets, which only they and the execution role can read"""
    log_level: str = setting(values.one_of(("debug", "info", "warn", "error")), default="info")
    """debug, info, warn or error"""
    plan_requirements: Sequence[str] = setting(accepted.plan_requirements, default=())
    """Requirements before a plan, which runs the pull request's code: approved, mergeable, undiverged"""


@group
class ConfigurationArgs(Group):
    """The server's flags, the rules for repositories, and secrets for workflows."""

    server_config_file: str | None = setting(accepted.yaml_file, default=None)
    """File with the server's flags and webhooks, in the format of Atlantis' configuration file"""
    repo_config_file: str | None = setting(accepted.yaml_file, default=None)
    """Server-side repository configuration file (repos.yaml). Empty, or without repos: every repository requires approved, mergeable
    and undiverged"""
    default_branch: str = setting(accepted.branch, default="main")
    """Base branch of the served pull requests, without repos in repoConfigFile"""
    allow_weaker_requirements: bool = setting(values.boolean, default=False)
    """Accept a repoConfigFile that requires less than approved, mergeable and undiverged"""
    secret_environment: Sequence[str] = setting(accepted.secret_environment, default=())
    """Variables from existing secrets: NAME=secret:key, or NAME=ssm:/parameter of Systems Manager. Every plan can read them"""
    environment_variables: Mapping[str, str] = setting(accepted.environment_variables, default={})
    """Variables of workflows in plaintext, such as TF_VAR_region. Secrets belong in secretEnvironment"""
    server_secrets: Sequence[str] = setting(accepted.server_secrets, default=())
    """The server's secret flags from existing secrets: flag=secret:key or flag=ssm:/parameter. Plans can't read them"""
    allowed_extra_arguments: Sequence[str] = setting(accepted.extra_arguments, default=())
    """Arguments of Terraform, such as -target, to allow after `--` in comments, although they change what an apply does or where
    files are"""
    allow_state_commands: bool = setting(values.boolean, default=False)
    """Accept allow-commands with state: everyone who can comment can then change the state without an approval"""
    allow_api: bool = setting(values.boolean, default=False)
    """Accept api-secret in serverSecrets, and let the allowed ranges send changes to /api/. Everyone with the secret can then apply
    any branch without an approval"""

    @property
    def uses_parameters(self) -> bool:
        """Whether a secret is a parameter of Systems Manager."""
        return any("=ssm:/" in reference for reference in (*self.secret_environment, *self.server_secrets))

    @property
    def accepted_risks(self) -> list[str]:
        """What the settings allow everyone who can comment, or who has a secret, without an approval: one line for each."""
        risks = [
            f"allowedExtraArguments: everyone who can comment can plan with {argument}, which changes what an apply does or where "
            "files are"
            for argument in self.allowed_extra_arguments
        ]
        if self.allow_state_commands:
            risks.append(
                "allowStateCommands: everyone who can comment can remove resources from the state, without an approval"
            )
        if self.allow_api:
            risks.append("allowApi: everyone with api-secret can apply any branch, without an approval")
        return risks


@group
class TaskArgs(Group):
    """The ECS task: its image, size and capacity provider."""

    image: Input[str] | None = setting(accepted.image, default=None)
    """Full image reference with a tag or a digest. Empty: imageTag in the stack's ECR repository"""
    image_tag: str = setting(accepted.image_tag, default="v0.47.1")
    """Tag in the stack's ECR repository. latest isn't accepted"""
    cpu_architecture: str = setting(values.one_of((accepted.X86_64, accepted.ARM64)), default=accepted.X86_64)
    """X86_64 or ARM64, as the image"""
    cpu: int = setting(values.integer(tuple(accepted.FARGATE_MEMORY)), default=2048)
    """The task's CPU units; 1024 are one vCPU. Fargate supports only certain combinations of cpu and memory"""
    memory: int = setting(values.integer(range(512, 122881)), default=4096)
    """The task's memory in MiB"""
    capacity_provider: str = setting(values.one_of(("FARGATE", "FARGATE_SPOT")), default="FARGATE")
    """FARGATE, or FARGATE_SPOT, which is cheaper: AWS can end the task with two minutes' notice"""
    desired_count: int = setting(values.integer(range(2)), default=1)
    """Number of tasks: 1, or 0 before the image and the secrets exist"""
    deployment_timeout_minutes: int = setting(values.integer(range(721)), default=20)
    """Minutes, up to 720, that pulumi up waits for the deployment. 0: don't wait"""
    deployment_role_arn: Input[str] | None = setting(accepted.role_arn, default=None)
    """Role with which pulumi up follows the deployment. Required if the component's provider assumes a role. Empty: the
    provider's credentials"""
    container_port: int = setting(values.integer(range(1024, 65536)), default=4141)
    """Port of the server, 1024 to 65535"""
    ephemeral_storage: int = setting(values.integer(range(20, 201)), default=20)
    """The task's ephemeral storage in GiB, 20 to 200; the data directory is on EFS"""
    stop_timeout: int = setting(values.integer(range(2, 121)), default=120)
    """Seconds between SIGTERM and SIGKILL when ECS stops the task, 2 to 120"""
    extra_containers: Sequence[ExtraContainerArgs] = setting(extra_containers, default=())
    """Up to five containers of your own in the task, whose network and role they share (docs/security.md)"""

    @property
    def own_cpu(self) -> int:
        """The CPU units that the stack's containers share."""
        return self.cpu - sum(each.cpu for each in self.extra_containers)

    @property
    def own_memory(self) -> int:
        """The MiB of memory that are left for the stack's containers."""
        return self.memory - sum(each.memory for each in self.extra_containers)


@group
class StorageArgs(Group):
    """The file system and the locking database."""

    efs_encryption_key: str = setting(values.one_of(("customer", "aws")), default="customer")
    """customer (a customer managed key), or aws to keep an existing file system's AWS managed key. A change replaces it"""
    efs_root_directory: str = setting(accepted.directory, default="/atlantis-data")
    """The task's directory of the file system; / during a restore (docs/runbooks.md). A change replaces the access point"""
    efs_throughput_mode: str = setting(values.one_of(("bursting", "elastic")), default="bursting")
    """bursting, or elastic, which is billed by usage and needs no burst credits"""
    backup_retention_days: int = setting(values.integer(range(3651)), default=0)
    """Days, up to 3650, of daily backups in a vault of the stack with a customer managed key. 0: EFS' automatic backups, for 35
    days"""
    posix_uid: int = setting(accepted.posix_id, default=100)
    """Owner of the data directory: the image's user, because git rejects directories of others"""
    posix_gid: int = setting(accepted.posix_id, default=100)
    """Group of the data directory"""
    repository_name: str | None = setting(accepted.repository_name, default=None)
    """ECR repository, and part of the KMS keys' aliases; another one for a second stack in the account and region. A change
    replaces it. Empty: atlantis"""
    locking_database: str = setting(values.one_of(("boltdb", "redis")), default="boltdb")
    """Atlantis' locks: boltdb (a file), or redis (ElastiCache) for deployments without downtime"""
    locking_node_type: str = setting(accepted.cache_node_type, default="cache.t4g.micro")
    """Type of the two cache nodes. Only with lockingDatabase redis"""
    locking_password_generation: int = setting(accepted.generation, default=1)
    """Increase it for a new password. Only with lockingDatabase redis"""
    locking_snapshot_name: str | None = setting(accepted.cache_snapshot_name, default=None)
    """Manual ElastiCache snapshot with which the replication group begins (docs/runbooks.md). A change, also the removal,
    replaces it. Only with lockingDatabase redis"""

    @property
    def uses_redis(self) -> bool:
        """Whether the locks are in Redis instead of a file."""
        return self.locking_database == "redis"


@group
class OperationsArgs(Group):
    """Logs, alarms, tags and protection."""

    log_group_name: str | None = setting(accepted.log_group_name, default=None)
    """The task's log group in an adopted stack. Empty: /ecs/<name of the service>"""
    log_retention_days: int = setting(values.integer(accepted.LOG_RETENTION_DAYS), default=7)
    """Days to keep the task's log. CloudWatch Logs accepts only certain values"""
    log_archive_days: int = setting(values.integer(range(3651)), default=0)
    """Days to keep the log in an S3 bucket, more than logRetentionDays and up to 3650. 0: no bucket"""
    alarm_topic_arns: Sequence[Input[str]] = setting(accepted.topic_arns, default=())
    """SNS topics that CloudWatch alarms notify. Empty: no alarms"""
    documentation_url: str | None = setting(values.https_endpoint, default=None)
    """Your copy of docs, such as https://github.com/my-organization/atlantis/blob/main/docs, for links of alarms and dashboard.
    Empty: they name the file"""
    deletion_protection: bool = setting(values.boolean, default=True)
    """Protect file system, backup vault, KMS keys, repository, secrets, log buckets and load balancer from deletion and
    replacement"""
    tags: Mapping[str, Input[str]] = setting(accepted.tags, default={})
    """More tags of all resources, or other values for Team, Owner, CostCenter and DataClass"""
    team: Input[str] = setting(accepted.tag_value, default="platform")
    """Value of the tag Team"""
    owner: Input[str] = setting(accepted.tag_value, default="platform")
    """Value of the tag Owner"""
    cost_center: Input[str] | None = setting(accepted.tag_value, default=None)
    """Value of the tag CostCenter. Empty: no such tag"""
    data_class: Input[str] = setting(
        values.one_of(("public", "internal", "confidential", "restricted")), default="confidential"
    )
    """Value of the tag DataClass: public, internal, confidential or restricted"""


@group
class ExistingArgs(Group):
    """Existing parts that the stack uses instead of creating them."""

    cluster_name: str | None = setting(accepted.cluster_name, default=None)
    """Existing ECS cluster, whose capacity providers include capacityProvider. A change replaces the service. Empty: a new
    cluster"""
    log_key_arn: Input[str] | None = setting(accepted.key_arn, default=None)
    """Existing KMS key for log groups and log archive, which CloudWatch Logs must be allowed to use. Empty: a new one"""
    https_listener_arn: Input[str] | None = setting(accepted.listener_arn, default=None)
    """HTTPS listener of an existing application load balancer in the VPC, with a certificate for the host of url. Empty: a new
    load balancer"""
    listener_rule_priority: int = setting(accepted.first_priority, default=0)
    """First of the 128 priorities of the stack's rules; `make preflight` names free ones. Only with httpsListenerArn. 0: a number
    that follows from the stack's names"""
    load_balancer_security_group_id: Input[str] | None = setting(accepted.security_group_id, default=None)
    """The existing load balancer's security group, from which the task accepts requests. Required with httpsListenerArn"""
    extend_security_group: bool = setting(values.boolean, default=False)
    """Add rules to loadBalancerSecurityGroupId: HTTPS from the allowed ranges and from webhooks, and the task's port"""
    service_registry_arn: Input[str] | None = setting(accepted.service_registry_arn, default=None)
    """Existing Cloud Map service with A records, in which ECS registers the task. Only with loadBalancerScheme none"""


@group
class SignInArgs(Group):
    """Sign-in to the web page: at an OpenID Connect provider, or with a generated password."""

    web_basic_auth: bool = setting(values.boolean, default=True)
    """Require a generated password for the web page. Not used with oidcIssuer"""
    web_password_generation: int = setting(accepted.generation, default=1)
    """Increase it for a new password of the web page"""
    oidc_issuer: Input[str] | None = setting(values.https_endpoint, default=None)
    """Issuer URL of the OpenID Connect provider. Empty: no provider"""
    oidc_authorization_endpoint: Input[str] | None = setting(values.https_endpoint, default=None)
    """authorization_endpoint in the provider's discovery document. Only with oidcIssuer"""
    oidc_token_endpoint: Input[str] | None = setting(values.https_endpoint, default=None)
    """token_endpoint in the provider's discovery document. Only with oidcIssuer"""
    oidc_user_info_endpoint: Input[str] | None = setting(values.https_endpoint, default=None)
    """userinfo_endpoint in the provider's discovery document. Only with oidcIssuer"""
    oidc_client_id: Input[str] | None = setting(accepted.oidc_client_id, default=None)
    """The client that you registered with the redirect URI <url>/oauth2/idpresponse. Only with oidcIssuer"""
    oidc_client_secret_name: Input[str] | None = setting(accepted.secret_name, default=None)
    """Existing secret with client_secret. Only with oidcIssuer"""
    oidc_scope: str = setting(accepted.oidc_scope, default="openid")
    """Scopes to request, separated by spaces. Only with oidcIssuer"""
    oidc_session_hours: int = setting(values.integer(range(1, 169)), default=12)
    """Hours until a session expires, 1 to 168. Only with oidcIssuer"""

    @property
    def generates_password(self) -> bool:
        """Whether the stack generates a password, which the server requires."""
        return self.web_basic_auth and self.oidc_issuer is None

    @property
    def provider_ports(self) -> list[int]:
        """The ports of the endpoints that the load balancer requests, 443 for outputs. The browser requests the other one."""
        requested = (self.oidc_token_endpoint, self.oidc_user_info_endpoint) if self.oidc_issuer is not None else ()
        return sorted({(urlsplit(each).port if isinstance(each, str) else None) or 443 for each in requested})


@group
class VcsArgs(Group):
    """The host of the repositories, if the server doesn't authenticate as a GitHub App."""

    vcs_kind: str = setting(values.one_of(tuple(KINDS)), default=APP)
    """Host of the repositories: github-app, github (a user's token), gitlab, gitea, bitbucket-cloud, bitbucket-server or
    azure-devops"""
    vcs_host: str | None = setting(values.host, default=None)
    """GitLab, Gitea, Bitbucket Server or Azure DevOps, reached over HTTPS on port 443. Empty: gitlab.com, bitbucket.org or
    dev.azure.com. GitHub has githubHostname"""
    vcs_user: str | None = setting(accepted.vcs_user, default=None)
    """User whose token the server uses. Required, except with github-app"""
    vcs_token_secret_name: Input[str] | None = setting(accepted.secret_name, default=None)
    """Existing secret with the token under the key token. Empty: a new one without a value, which you set. Not with github-app"""
    vcs_webhook_cidr_blocks: Sequence[str] = setting(accepted.cidr_blocks, default=())
    """CIDR blocks of the host's webhooks, for POST /events only. Empty: those that gitlab.com, bitbucket.org or dev.azure.com
    publishes. GitHub has githubWebhookCidrBlocks"""

    @property
    def kind(self) -> Vcs:
        """The flags and secrets of the kind."""
        return KINDS[self.vcs_kind]

    @property
    def is_app(self) -> bool:
        """Whether the server authenticates as a GitHub App."""
        return self.vcs_kind == APP

    @property
    def is_github(self) -> bool:
        """Whether the repositories are on GitHub, as an App or as a user."""
        return self.kind.webhook_flag == "gh-webhook-secret"


_MOST_PROJECTS = 200
"""All containers of a task definition have 64 KiB together."""
_LONGEST_INTERVAL = 84
"""Hours. The alarm waits for two intervals, and CloudWatch evaluates at most seven days."""

PROJECT = re.compile(
    r"(?P<repository>[\w.-]{1,39}/[\w.-]{1,100})"
    r"(@(?P<branch>(?![/-])[\w./-]{1,100}(?<![/.])))?"
    r"(:(?P<directory>(?!/)(?!.*\.\.)[\w./-]{1,200})(:(?P<workspace>[\w-][\w.-]{0,89}))?|#(?P<project>[\w./-]{1,100}))?",
    re.ASCII,
)


@group
class DriftArgs(Group):
    """Drift detection: plans the projects of repositories on a schedule and reports what differs from the code."""

    drift_projects: Sequence[str] = setting(
        values.list_of(
            values.matching(
                PROJECT.pattern,
                "owner/name, owner/name:directory, owner/name:directory:workspace or owner/name#project; @branch after the name sets "
                "another branch than defaultBranch",
            ),
            at_most=_MOST_PROJECTS,
        ),
        default=(),
    )
    """Projects to detect drift in: owner/name:directory, owner/name:directory:workspace, owner/name#project, or owner/name for
    all; owner/name@branch for another branch than defaultBranch. Only with terraformIsolation tasks"""
    drift_every_hours: int = setting(values.integer(range(1, _LONGEST_INTERVAL + 1)), default=24)
    """Hours between two detections, 1 to 84. Not with driftDailyAt"""
    drift_daily_at: str | None = setting(
        values.matching(r"([01]\d|2[0-3]):[0-5]\d", "a time of day in UTC such as 04:30"), default=None
    )
    """Time of day in UTC, such as 04:30. Empty: driftEveryHours"""
    drift_show_plan: bool = setting(values.boolean, default=False)
    """Show the plan, which can contain secret values, in the issue"""

    @property
    def enabled(self) -> bool:
        """Whether drift is detected."""
        return bool(self.drift_projects)

    @property
    def interval_hours(self) -> int:
        """Hours from one detection to the next."""
        return 24 if self.drift_daily_at else self.drift_every_hours


@group
class TerraformArgs(Group):
    """The permissions of Terraform in the task."""

    terraform_state_buckets: Sequence[Input[str]] = setting(accepted.bucket_names, default=())
    """S3 buckets with Terraform states that the task can read and write"""
    terraform_state_prefixes: Sequence[str] = setting(accepted.state_prefixes, default=())
    """Prefixes of the keys in terraformStateBuckets that the task can use, such as platform/ or, with terraformIsolation tasks,
    states/{repository}/ for each repository's own. They limit workspaces too: set workspace_key_prefix. Empty: every key"""
    terraform_state_key_arns: Sequence[Input[str]] = setting(accepted.key_arns, default=())
    """Customer managed keys that encrypt these buckets"""
    assumable_role_arns: Sequence[Input[str]] = setting(accepted.assumable_role_arns, default=())
    """Roles that Terraform can assume; with terraformIsolation tasks, in an apply only. `make trust-policy` prints their trust
    policy"""
    terraform_lock_tables: Sequence[Input[str]] = setting(accepted.table_names, default=())
    """DynamoDB tables with the state locks"""
    managed_name_prefixes: Sequence[str] = setting(accepted.name_prefixes, default=())
    """Prefixes, such as shop-, of the names of roles, clusters, repositories, load balancers, log groups and secrets that
    Terraform can manage. Empty: only its state"""
    permissions_boundary_arn: Input[str] | None = setting(accepted.policy_arn, default=None)
    """Permissions boundary of the task role, the execution role and every role that Terraform creates. Empty: the stack creates
    one for the last"""
    additional_policy_arns: Sequence[Input[str]] = setting(accepted.additional_policy_arns, default=())
    """More policies of the task role, or of the role of applies with terraformIsolation tasks (docs/server.md)"""
    additional_plan_policy_arns: Sequence[Input[str]] = setting(accepted.additional_policy_arns, default=())
    """More policies of the role of plans. Only with terraformIsolation tasks"""
    share_subnets: bool = setting(values.boolean, default=False)
    """Allow Terraform to run ECS services in the stack's subnets, where they can use Atlantis' security groups"""
    terraform_isolation: str = setting(isolation, default="none")
    """none, or tasks: plans and applies run in separate ECS services with a role each. Requires the image of docker/"""
    module_repositories: Sequence[str] = setting(accepted.repository_names, default=())
    """Repositories from which init can download private modules. Empty: all of the GitHub App's installation. Only with
    terraformIsolation tasks"""

    repository_roles: Sequence[str] = setting(accepted.repository_roles, default=())
    """Roles of certain repositories that replace the stack's: my-organization/shop-*=<ARN of the plan role> <ARN of the apply
    role>. The first match counts (docs/security.md). Only with terraformIsolation tasks"""

    plan_assumable_role_arns: Sequence[Input[str]] = setting(accepted.assumable_role_arns, default=())
    """Roles that Terraform can assume in a plan too. Everyone who can open a pull request gets what they allow, so they should
    only read. Only with terraformIsolation tasks"""

    @property
    def roles_of_repositories(self) -> list[tuple[str, str, str]]:
        """Pattern, plan role and apply role of each entry."""
        entries = (entry.partition("=") for entry in self.repository_roles)
        return [(pattern, *arns.split(" ", 1)) for pattern, _, arns in entries]  # pyright: ignore[reportReturnType]

    @property
    def isolates(self) -> bool:
        """Whether Terraform runs in workers, with a role for plans and one for applies."""
        return self.terraform_isolation == "tasks"

    @property
    def creates_boundary(self) -> bool:
        """Whether Terraform may create roles, under a boundary that the stack creates."""
        return bool(self.managed_name_prefixes) and self.permissions_boundary_arn is None
