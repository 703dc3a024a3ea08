"""The groups of settings that the components take."""

import ipaddress
from collections.abc import Iterable, Sequence

from . import accepted, values
from .accepted import ARM64, AUTO_ENDPOINTS, FARGATE_MEMORY, LOG_RETENTION_DAYS, SSL_POLICIES, VPC_ENDPOINTS, X86_64
from .schema import Group, group, setting


@group
class NetworkSettings(Group):
    """The VPC that Atlantis runs in: an existing one, or a new one."""

    vpc_id: str | None = setting(accepted.vpc_id, default=None)
    """The existing VPC to use. Empty: a new VPC with public and private subnets in two zones and one NAT gateway"""
    public_subnet_ids: Sequence[str] = setting(accepted.subnet_ids, default=())
    """Subnets of the load balancer, in at least two zones. Only with vpcId"""
    private_subnet_ids: Sequence[str] = setting(accepted.subnet_ids, default=())
    """Subnets of the task, the file system and the endpoints, in at least two zones. Only with vpcId"""
    vpc_cidr_block: str = setting(values.cidr_block, default="10.64.0.0/16")
    """Private IPv4 range of a new VPC, /16 to /22"""
    vpc_endpoints: Sequence[str] = setting(
        values.list_of(values.one_of((*VPC_ENDPOINTS, AUTO_ENDPOINTS))), default=(AUTO_ENDPOINTS,)
    )
    """VPC endpoints to create: ecr.api, ecr.dkr, s3, secretsmanager, logs. auto: all of them in a new VPC, none in an
    existing one, where they answer for every workload and a service has one private DNS name. []: none"""

    @property
    def endpoints(self) -> Sequence[str]:
        """The VPC endpoints to create."""
        if AUTO_ENDPOINTS not in self.vpc_endpoints:
            return self.vpc_endpoints
        return () if self.vpc_id else VPC_ENDPOINTS


@group
class IngressSettings(Group):
    """Who reaches the server, under which name."""

    allowed_cidr_blocks: Sequence[str] = setting(values.list_of(values.cidr_block, at_least=1))
    """Required. Ranges of the people who use the server, such as the office and the VPN. IPv4 and IPv6, host bits clear"""
    allow_public_access: bool = setting(values.boolean, default=False)
    """Accept ranges that open the server to the internet"""
    github_webhook_cidr_blocks: Sequence[str] = setting(accepted.cidr_blocks, default=())
    """Ranges that webhooks come from; they reach POST /events only. Empty: the ranges that GitHub publishes
    (components/settings/github_webhook_ranges.json)"""
    url: str = setting(values.https_url)
    """Required. URL of the server: https:// and a host name that the certificate covers"""
    acm_certificate_arn: str | None = setting(accepted.certificate_arn, default=None)
    """Certificate for the host of url, in the stack's region. Empty: one is issued and validated through hostedZoneId"""
    hosted_zone_id: str | None = setting(accepted.hosted_zone_id, default=None)
    """Route 53 hosted zone for the alias records of the host. Empty: no records"""
    ip_address_type: str = setting(values.one_of(("ipv4", "dualstack")), default="ipv4")
    """ipv4, or dualstack where the VPC's public subnets have IPv6 ranges: adds AAAA records"""
    web_acl_arn: str | None = setting(accepted.web_acl_arn, default=None)
    """Existing regional web ACL (AWS WAF) for the load balancer; it must let large webhooks pass. Empty: none"""
    load_balancer_scheme: str = setting(values.one_of(("internet-facing", "internal")), default="internet-facing")
    """internet-facing, or internal for a GitHub Enterprise inside the network: then in the private subnets, with private
    ranges only. A change replaces the load balancer"""
    load_balancer_idle_timeout: int = setting(values.integer(range(1, 4001)), default=3600)
    """Seconds until the load balancer closes a quiet connection, 1 to 4000. The live log of a job that prints nothing is one"""
    ssl_policy: str = setting(values.one_of(SSL_POLICIES), default=SSL_POLICIES[0])
    """TLS policy of the load balancer: one with TLS 1.3 and nothing below 1.2"""

    @property
    def host(self) -> str:
        """Host of the URL, which the certificate must cover and the alias records name."""
        return self.url.removeprefix("https://")

    @property
    def webhook_cidr_blocks(self) -> Sequence[str]:
        """The ranges that webhooks come from."""
        return self.github_webhook_cidr_blocks or accepted.GITHUB_WEBHOOK_CIDR_BLOCKS

    @property
    def allowed_sources(self) -> list[str]:
        """The allowed ranges that can reach the load balancer."""
        return self.reachable_from(self.allowed_cidr_blocks)

    @property
    def webhook_sources(self) -> list[str]:
        """The ranges of webhooks that can reach the load balancer."""
        return self.reachable_from(self.webhook_cidr_blocks)

    def reachable_from(self, blocks: Iterable[str]) -> list[str]:
        """Those of `blocks` that can reach the load balancer: IPv6 ranges need its IPv6 addresses."""
        versions = (4, 6) if self.ip_address_type == "dualstack" else (4,)
        return [block for block in blocks if ipaddress.ip_network(block).version in versions]


@group
class ServerSettings(Group):
    """What the Atlantis server serves, and its credentials."""

    repo_allowlist: str = setting(values.repo_allowlist)
    """Required. Repositories to serve, in Atlantis' syntax: github.com/my-organization/*, ! excludes, separated by commas"""
    github_hostname: str = setting(values.host, default="github.com")
    """Host of GitHub Enterprise; also needs githubWebhookCidrBlocks"""
    github_app_secret_name: str | None = setting(accepted.secret_name, default=None)
    """Existing secret with app_id, installation_id and private_key. Empty: an empty secret is created for you to fill"""
    webhook_secret_name: str | None = setting(accepted.secret_name, default=None)
    """Existing secret with webhook_secret. Empty: one is generated"""
    webhook_secret_generation: int = setting(accepted.generation, default=1)
    """Increase it to generate a new webhook secret"""
    secret_reader_arns: Sequence[str] = setting(accepted.principal_arns, default=())
    """Roles and users that deploy the stack: besides the execution role, only they may read the generated secrets. Required
    where the stack creates a secret"""
    log_level: str = setting(values.one_of(("debug", "info", "warn", "error")), default="info")
    """debug, info, warn or error"""
    plan_requirements: Sequence[str] = setting(accepted.plan_requirements, default=())
    """What a pull request must be before it is planned: approved, mergeable, undiverged. A plan runs code of the pull
    request: use approved where you don't trust everyone who can open one. Empty: nothing"""


@group
class SignInSettings(Group):
    """How people sign in to the web page: at an OpenID Connect provider, or with a generated password."""

    web_basic_auth: bool = setting(values.boolean, default=True)
    """Require a generated password for the web page, unless people sign in at an OpenID Connect provider"""
    web_password_generation: int = setting(accepted.generation, default=1)
    """Increase it to generate a new password for the web page"""
    oidc_issuer: str | None = setting(values.https_endpoint, default=None)
    """Issuer of the OpenID Connect provider that people sign in at. Empty: no provider"""
    oidc_authorization_endpoint: str | None = setting(values.https_endpoint, default=None)
    """authorization_endpoint in the provider's discovery document. Only with oidcIssuer"""
    oidc_token_endpoint: str | None = setting(values.https_endpoint, default=None)
    """token_endpoint in the provider's discovery document. Only with oidcIssuer"""
    oidc_user_info_endpoint: str | None = setting(values.https_endpoint, default=None)
    """userinfo_endpoint in the provider's discovery document. Only with oidcIssuer"""
    oidc_client_id: str | None = setting(accepted.oidc_client_id, default=None)
    """ID of the client at the provider, whose redirect URI is <url>/oauth2/idpresponse. Only with oidcIssuer"""
    oidc_client_secret_name: str | None = setting(accepted.secret_name, default=None)
    """Existing secret with client_secret. Only with oidcIssuer"""
    oidc_scope: str = setting(accepted.oidc_scope, default="openid")
    """Scopes to ask for, separated by spaces. Only with oidcIssuer"""
    oidc_session_hours: int = setting(values.integer(range(1, 169)), default=12)
    """Hours until people must sign in again, 1 to 168. Only with oidcIssuer"""

    @property
    def generates_password(self) -> bool:
        """Whether the server itself asks for a password."""
        return self.web_basic_auth and self.oidc_issuer is None


@group
class ConfigurationSettings(Group):
    """The server's own flags, the rules for repositories, and what workflows are given."""

    server_config_file: str | None = setting(accepted.yaml_file, default=None)
    """File with flags of the server, in Atlantis' own format. Empty: the stack's flags only"""
    repo_config_file: str | None = setting(accepted.yaml_file, default=None)
    """Server-side repository configuration (repos.yaml). Empty: approved, mergeable and undiverged for every repository"""
    default_branch: str = setting(accepted.branch, default="main")
    """Branch whose pull requests are served. Not with repoConfigFile"""
    allow_weaker_requirements: bool = setting(values.boolean, default=False)
    """Accept a repoConfigFile that requires less than approved, mergeable and undiverged; each such rule is a warning"""
    secret_environment: Sequence[str] = setting(accepted.secret_environment, default=())
    """Environment variables from existing secrets, NAME=secret:key. Every plan can read them"""
    server_secrets: Sequence[str] = setting(accepted.server_secrets, default=())
    """Secret flags of the server from existing secrets, such as api-secret=secret:key. No plan can read them"""


@group
class TaskSettings(Group):
    """The ECS task: its image, size and place."""

    image: str | None = setting(values.image_reference, default=None)
    """Full image reference with a tag or a digest. Empty: imageTag in the stack's own ECR repository"""
    image_tag: str = setting(values.image_tag, default="v0.47.1")
    """Tag of the image in the stack's own ECR repository; latest is refused"""
    cpu_architecture: str = setting(values.one_of((X86_64, ARM64)), default=X86_64)
    """X86_64 or ARM64, as the image was built"""
    cpu: int = setting(values.integer(tuple(FARGATE_MEMORY)), default=2048)
    """CPU units of the task, 1024 for each vCPU; Fargate supports certain pairs of cpu and memory"""
    memory: int = setting(values.integer(range(512, 122881)), default=4096)
    """Memory of the task in MiB"""
    capacity_provider: str = setting(values.one_of(("FARGATE", "FARGATE_SPOT")), default="FARGATE")
    """FARGATE, or FARGATE_SPOT: cheaper, but AWS may stop the task with two minutes' notice"""
    desired_count: int = setting(values.integer(range(2)), default=1)
    """Number of tasks: 1, or 0 to deploy before the image and the secrets exist"""
    deployment_timeout_minutes: int = setting(values.integer(range(721)), default=20)
    """Minutes that a deployment may take before it fails with ECS' reasons, up to 720. 0: don't wait for the task"""
    container_port: int = setting(values.integer(range(1024, 65536)), default=4141)
    """Port that Atlantis listens on, 1024 to 65535"""
    ephemeral_storage: int = setting(values.integer(range(20, 201)), default=20)
    """GiB of the task's own disk, 20 to 200. The data directory is on EFS, not on it"""
    stop_timeout: int = setting(values.integer(range(2, 121)), default=120)
    """Seconds between the signal to stop and the kill, 2 to 120, which is the most that Fargate allows"""


@group
class StorageSettings(Group):
    """The file system and the locking database."""

    efs_encryption_key: str = setting(values.one_of(("customer", "aws")), default="customer")
    """customer, or aws to keep the AWS-managed key of an existing file system: a change replaces the file system"""
    efs_root_directory: str = setting(accepted.directory, default="/atlantis-data")
    """Directory of the file system that the task sees; a change replaces the access point"""
    efs_throughput_mode: str = setting(values.one_of(("bursting", "elastic")), default="bursting")
    """bursting, or elastic: paid by use, and without burst credits to run out of"""
    posix_uid: int = setting(accepted.posix_id, default=100)
    """User that owns the data. The stock image runs as 100, and git refuses directories of other users"""
    posix_gid: int = setting(accepted.posix_id, default=100)
    """Group that owns the data"""
    locking_database: str = setting(values.one_of(("boltdb", "redis")), default="boltdb")
    """Where Atlantis keeps its locks: boltdb (a file), or redis (an ElastiCache replication group) for deployments without
    downtime"""
    locking_node_type: str = setting(accepted.cache_node_type, default="cache.t4g.micro")
    """Node type of the two cache nodes. Only with lockingDatabase redis"""
    locking_password_generation: int = setting(accepted.generation, default=1)
    """Increase it to generate a new password for the locking database. Only with lockingDatabase redis"""

    @property
    def uses_redis(self) -> bool:
        """Whether the locks are kept in a database rather than in a file."""
        return self.locking_database == "redis"


@group
class TerraformSettings(Group):
    """What Terraform may do from within the task."""

    terraform_state_buckets: Sequence[str] = setting(accepted.bucket_names, default=())
    """S3 buckets of Terraform states that the task may read and write"""
    terraform_state_key_arns: Sequence[str] = setting(accepted.key_arns, default=())
    """Customer managed keys of those buckets, which the task may use through S3. Required where a bucket encrypts with one"""
    assumable_role_arns: Sequence[str] = setting(accepted.assumable_role_arns, default=())
    """Roles in this and other accounts that Terraform may assume. `make trust-policy` prints the trust policy that each needs"""
    terraform_lock_tables: Sequence[str] = setting(accepted.table_names, default=())
    """DynamoDB tables that hold the state locks"""
    managed_name_prefixes: Sequence[str] = setting(accepted.name_prefixes, default=("fileflow-", "atlantis-"))
    """Prefixes of the names that Terraform manages: roles, clusters, repositories, load balancers, log groups, secrets. []:
    state only"""
    permissions_boundary_arn: str | None = setting(accepted.policy_arn, default=None)
    """Permissions boundary of both roles, required on every role that Terraform creates. Empty: the stack creates one for the
    latter"""
    share_subnets: bool = setting(values.boolean, default=False)
    """Let Terraform run ECS services in the subnets of this stack, where they can be in its security groups"""

    @property
    def managed_names(self) -> list[str]:
        """Patterns of the names that Terraform manages, its roles' among them."""
        return [f"{prefix}*" for prefix in self.managed_name_prefixes]

    @property
    def creates_boundary(self) -> bool:
        """Whether Terraform may create roles, under a boundary that the stack creates."""
        return bool(self.managed_name_prefixes) and self.permissions_boundary_arn is None


@group
class OperationsSettings(Group):
    """Logs, alarms, tags and protection."""

    log_group_name: str | None = setting(accepted.log_group_name, default=None)
    """The task's log group, to keep that of an adopted stack. Empty: /ecs/<name of the service>"""
    log_retention_days: int = setting(values.integer(LOG_RETENTION_DAYS), default=7)
    """Days to keep the task's log, one of the values that CloudWatch Logs accepts"""
    log_archive_days: int = setting(values.integer(range(3651)), default=0)
    """Days to keep the task's log in a bucket, up to 3650, longer than logRetentionDays. 0: no bucket"""
    alarm_topic_arns: Sequence[str] = setting(accepted.topic_arns, default=())
    """SNS topics that alarms notify: server unreachable, errors, memory, burst credits, certificate. Empty: no alarms"""
    deletion_protection: bool = setting(values.boolean, default=True)
    """Refuse to delete or replace what holds data: file system, keys, repository, secrets, log bucket, load balancer"""
    team: str = setting(accepted.tag_value, default="platform")
    """Tag Team"""
    owner: str = setting(accepted.tag_value, default="platform")
    """Tag Owner"""
    cost_center: str | None = setting(accepted.tag_value, default=None)
    """Tag CostCenter. Empty: no such tag"""
    data_class: str = setting(
        values.one_of(("public", "internal", "confidential", "restricted")), default="confidential"
    )
    """Tag DataClass: public, internal, confidential or restricted"""
