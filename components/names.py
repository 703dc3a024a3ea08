"""The physical names and ARNs of one Atlantis: operators type them in commands, and policies refer to them.

Everything here is plain text, known before anything is deployed: policy documents made from it can be evaluated in a preview.
"""

import dataclasses


@dataclasses.dataclass(frozen=True, kw_only=True)
class PhysicalNames:
    """The names of an environment in one account and region.

    `repository` and the key aliases carry no environment: one account and region holds one Atlantis.
    """

    environment: str
    account: str
    """Twelve digits."""
    region: str
    partition: str
    """`aws`, `aws-cn` or `aws-us-gov`."""
    dns_suffix: str = "amazonaws.com"
    base_name: str | None = None
    """Of an adopted stack, whose cluster, service and load balancer can't be renamed; None for the default."""
    log_group_name: str | None = None
    """Of an adopted stack's log group; None for the default."""

    @property
    def base(self) -> str:
        """Cluster, service, task family, load balancer and replication group."""
        return self.base_name or f"atlantis-{self.environment}"

    @property
    def target_group(self) -> str:
        return f"{self.base}-atlantis"

    @property
    def log_group(self) -> str:
        return self.log_group_name or f"/ecs/{self.base}"

    @property
    def flow_log_group(self) -> str:
        return f"/vpc/{self.base}"

    @property
    def flow_log_role(self) -> str:
        return f"atlantis-vpc-flow-logs-{self.environment}"

    @property
    def repository(self) -> str:
        return "atlantis"

    @property
    def execution_role(self) -> str:
        return f"atlantis-ecs-task-execution-{self.environment}"

    @property
    def task_role(self) -> str:
        return f"atlantis-ecs-task-{self.environment}"

    @property
    def roles_of_every_environment(self) -> str:
        """A pattern for the roles of all Atlantis environments of the account, and for their policies."""
        return "atlantis-ecs-task-*"

    @property
    def permissions_boundary(self) -> str:
        """The policy that limits what Terraform's roles can be given."""
        return f"{self.task_role}-boundary"

    @property
    def github_app_secret(self) -> str:
        return f"{self.environment}-atlantis-github-app"

    @property
    def webhook_secret(self) -> str:
        return f"{self.environment}-atlantis-webhook-secret"

    def secret_pattern(self, name: str) -> str:
        """ARN pattern of an existing secret: Secrets Manager adds a hyphen and six characters to its name.

        A policy of the task role has room for the shorter wildcard only; a refusal may match longer names, too.
        """
        return self.arn("secretsmanager", f"secret:{name}-*")

    @property
    def own_secrets(self) -> str:
        """ARN pattern of the secrets that the stack creates, and of others of this environment's prefix."""
        return self.arn("secretsmanager", f"secret:{self.environment}-atlantis-*")

    @property
    def web_password_secret(self) -> str:
        return f"{self.environment}-atlantis-web-password"

    @property
    def redis_secret(self) -> str:
        return f"{self.environment}-atlantis-redis"

    @property
    def access_log_bucket(self) -> str:
        """Bucket names are unique in the world: account and region make this one so."""
        return f"{self.base}-access-logs-{self.account}-{self.region}"

    @property
    def log_archive_bucket(self) -> str:
        """Of the task's log."""
        return f"{self.base}-log-archive-{self.account}-{self.region}"

    @property
    def log_archive_role(self) -> str:
        """Firehose's; of a name that plans are refused, as the two roles of the task."""
        return f"atlantis-ecs-task-log-archive-{self.environment}"

    @property
    def log_delivery_role(self) -> str:
        """CloudWatch Logs'; of a name that plans are refused, as the two roles of the task."""
        return f"atlantis-ecs-task-log-delivery-{self.environment}"

    @property
    def delivery_stream_arn(self) -> str:
        return self.arn("firehose", f"deliverystream/{self.base}")

    @property
    def dashboard(self) -> str:
        """The name of a dashboard is of no region."""
        return f"{self.base}-{self.region}"

    @property
    def dashboard_url(self) -> str:
        """Where a browser shows it."""
        console = {"aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com"}.get(
            self.partition, "console.aws.amazon.com"
        )
        return f"https://{self.region}.{console}/cloudwatch/home?region={self.region}#dashboards/dashboard/{self.dashboard}"

    def alarm(self, of: str) -> str:
        """`of`: what is wrong when it goes off, such as unreachable."""
        return f"{self.base}-{of}"

    def security_group(self, of: str) -> str:
        """`of`: alb, ecs-tasks, efs, redis or vpc-endpoints."""
        return f"atlantis-{of}-{self.environment}"

    @property
    def security_groups(self) -> dict[str, str]:
        """Every group that the stack can have: what it is of, by its name."""
        return {self.security_group(of): of for of in ("alb", "ecs-tasks", "efs", "redis", "vpc-endpoints")}

    def key_alias(self, store: str) -> str:
        """`store`: ecr, efs, secrets, logs, locking or flow-logs."""
        return f"alias/{store}-atlantis"

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a resource of this account and region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def role_arn(self, role: str) -> str:
        return f"arn:{self.partition}:iam::{self.account}:role/{role}"

    def policy_arn(self, policy: str) -> str:
        """A managed policy of this account."""
        return f"arn:{self.partition}:iam::{self.account}:policy/{policy}"

    def sessions_of(self, role: str) -> list[str]:
        """Patterns for `aws:PrincipalArn`: the role itself, which AWS compares, and the session that some services show."""
        return [self.role_arn(role), f"arn:{self.partition}:sts::{self.account}:assumed-role/{role}/*"]

    def aws_policy_arn(self, path: str) -> str:
        """A policy that AWS manages."""
        return f"arn:{self.partition}:iam::aws:policy/{path}"

    def bucket_arn(self, bucket: str) -> str:
        return f"arn:{self.partition}:s3:::{bucket}"

    def service_endpoint(self, service: str) -> str:
        """The name of a VPC endpoint's service, and of a KMS `ViaService` caller with the suffix."""
        return f"com.amazonaws.{self.region}.{service}"

    def via(self, service: str) -> str:
        """`service` as kms:ViaService knows it, and as the principal of a service that has one for each region."""
        return f"{service}.{self.region}.{self.dns_suffix}"

    @property
    def account_root(self) -> str:
        return f"arn:{self.partition}:iam::{self.account}:root"

    @property
    def log_group_arn(self) -> str:
        return self.arn("logs", f"log-group:{self.log_group}")

    @property
    def flow_log_group_arn(self) -> str:
        return self.arn("logs", f"log-group:{self.flow_log_group}")

    @property
    def repository_arn(self) -> str:
        return self.arn("ecr", f"repository/{self.repository}")

    @property
    def execution_role_arn(self) -> str:
        return self.role_arn(self.execution_role)

    @property
    def task_role_arn(self) -> str:
        return self.role_arn(self.task_role)
