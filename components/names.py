"""The physical names and ARNs of one Atlantis. Operators use them in commands, and policies reference them.

All values are strings that are known before the deployment, so a preview can evaluate policy documents with them.
"""

import dataclasses

REPOSITORY_TAG = "Repository"
"""The tag of the sessions of plans and applies in workers: `<owner>/<name>` of the repository."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class PhysicalNames:
    """The names of an environment in one account and region."""

    environment: str
    account: str
    """Twelve digits."""
    region: str
    partition: str
    """`aws`, `aws-cn` or `aws-us-gov`."""
    dns_suffix: str = "amazonaws.com"
    base_name: str | None = None
    """Base name of an adopted stack, as its cluster, service and load balancer can't be renamed; None: the default."""
    cluster_name: str | None = None
    """The name of an existing cluster, which the service shares with others; None for the stack's own."""
    log_group_name: str | None = None
    """The name of an adopted stack's log group; None for the default."""
    repository_name: str | None = None
    """The name of the repository, and a part of the key aliases: what an account has once in a region. None: the default."""
    regional_iam_names: bool = False
    """Whether IAM names contain the region, because an account has each name once for all regions."""

    @property
    def base(self) -> str:
        """The name of the cluster, service, task family, load balancer and replication group."""
        return self.base_name or f"atlantis-{self.environment}"

    @property
    def cluster(self) -> str:
        return self.cluster_name or self.base

    @property
    def target_group(self) -> str:
        return f"{self.base}-atlantis"

    @property
    def log_group(self) -> str:
        return self.log_group_name or f"/ecs/{self.base}"

    @property
    def agent_log_group(self) -> str:
        """The log of the server's container `agent`, from which metrics come: plans write to the other one."""
        return f"{self.log_group}-agent"

    @property
    def flow_log_group(self) -> str:
        return f"/vpc/{self.base}"

    @property
    def flow_log_role(self) -> str:
        return self._role("atlantis-vpc-flow-logs")

    @property
    def repository(self) -> str:
        return self.repository_name or "atlantis"

    @property
    def execution_role(self) -> str:
        return self._role("atlantis-ecs-task-execution")

    @property
    def task_role(self) -> str:
        return self._role("atlantis-ecs-task")

    def terraform_role(self, role: str) -> str:
        """The role of plans or of applies, if Terraform runs in workers."""
        return self._role(f"atlantis-ecs-task-{role}")

    def worker_role(self, role: str) -> str:
        """The task role of the workers of a kind, which only assumes the roles of its commands."""
        return self._role(f"atlantis-ecs-task-{role}-worker")

    def workers(self, role: str) -> str:
        """The name of the workers' service and task family. `role`: plan or apply."""
        return f"{self.base}-{role}"

    @property
    def drift_role(self) -> str:
        """The role with which the agent reads its own log, with drift detection. The task role is denied access to logs."""
        return self._role("atlantis-ecs-task-drift")

    @property
    def backup_role(self) -> str:
        """AWS Backup's role. Plans are denied access to roles with this prefix, as to the two roles of the task."""
        return self._role("atlantis-ecs-task-backup")

    def _role(self, prefix: str) -> str:
        """The name of a role of this environment, and the beginning of the names of its policies."""
        name = f"{prefix}-{self.environment}"
        return f"{name}-{self.region}" if self.regional_iam_names else name

    @property
    def roles_of_every_environment(self) -> str:
        """A pattern for the roles of all Atlantis environments of the account, and for their policies."""
        return "atlantis-ecs-task-*"

    @property
    def permissions_boundary(self) -> str:
        """The policy that limits the permissions of the roles that Terraform creates."""
        return f"{self.task_role}-boundary"

    def secret(self, of: str) -> str:
        """`of`: github-app, vcs-token (of a user, without a GitHub App), webhook-secret, web-password, api, workers or redis."""
        return f"{self.environment}-atlantis-{of}"

    def secret_pattern(self, name: str) -> str:
        """ARN pattern of an existing secret: Secrets Manager adds a hyphen and six characters to its name.

        The policies of the task role have room only for `*`, the shorter wildcard. A Deny may also match longer names.
        """
        return self.arn("secretsmanager", f"secret:{name}-*")

    @property
    def own_secrets(self) -> str:
        """ARN pattern of the secrets that the stack creates, and of others with this environment's prefix."""
        return self.arn("secretsmanager", f"secret:{self.environment}-atlantis-*")

    @property
    def access_log_bucket(self) -> str:
        """Bucket names must be globally unique, so the name contains the account and the region."""
        return f"{self.base}-access-logs-{self.account}-{self.region}"

    @property
    def log_archive_bucket(self) -> str:
        """The bucket for the archive of the task's log."""
        return f"{self.base}-log-archive-{self.account}-{self.region}"

    @property
    def log_archive_role(self) -> str:
        """Firehose's role. Plans are denied access to roles with this prefix, as to the two roles of the task."""
        return self._role("atlantis-ecs-task-log-archive")

    @property
    def log_delivery_role(self) -> str:
        """CloudWatch Logs' role. Plans are denied access to roles with this prefix, as to the two roles of the task."""
        return self._role("atlantis-ecs-task-log-delivery")

    @property
    def metrics(self) -> str:
        """The namespace of the stack's own metrics: one for each Atlantis of the account and region."""
        return f"Atlantis/{self.base}"

    @property
    def dashboard(self) -> str:
        """Dashboard names must be unique in the account, so the name contains the region."""
        return f"{self.base}-{self.region}"

    @property
    def dashboard_url(self) -> str:
        """The dashboard's URL in the AWS console."""
        console = {"aws-cn": "console.amazonaws.cn", "aws-us-gov": "console.amazonaws-us-gov.com"}.get(
            self.partition, "console.aws.amazon.com"
        )
        return f"https://{self.region}.{console}/cloudwatch/home?region={self.region}#dashboards/dashboard/{self.dashboard}"

    def alarm(self, of: str) -> str:
        """`of`: the problem that the alarm reports, such as unreachable."""
        return f"{self.base}-{of}"

    def security_group(self, of: str) -> str:
        """`of`: alb, ecs-tasks, efs, redis, vpc-endpoints, plan-workers or apply-workers."""
        return f"atlantis-{of}-{self.environment}"

    @property
    def security_groups(self) -> dict[str, str]:
        """Every security group that the stack can have: its purpose by its name."""
        purposes = ("alb", "ecs-tasks", "efs", "redis", "vpc-endpoints", "plan-workers", "apply-workers")
        return {self.security_group(of): of for of in purposes}

    def key_alias(self, store: str) -> str:
        """`store`: ecr, efs, backup, secrets, logs, locking or flow-logs."""
        # An alias can't contain a dot.
        return f"alias/{store}-{self.repository.replace('.', '-')}"

    def arn(self, service: str, resource: str) -> str:
        """The ARN of a resource of this account and region."""
        return f"arn:{self.partition}:{service}:{self.region}:{self.account}:{resource}"

    def role_arn(self, role: str) -> str:
        return f"arn:{self.partition}:iam::{self.account}:role/{role}"

    def policy_arn(self, policy: str) -> str:
        """The ARN of a customer managed policy of this account."""
        return f"arn:{self.partition}:iam::{self.account}:policy/{policy}"

    def sessions_of(self, role: str) -> list[str]:
        """Patterns for `aws:PrincipalArn`: the role's ARN, which IAM compares, and the session's, which some services report."""
        return [self.role_arn(role), f"arn:{self.partition}:sts::{self.account}:assumed-role/{role}/*"]

    def aws_policy_arn(self, path: str) -> str:
        """The ARN of an AWS managed policy."""
        return f"arn:{self.partition}:iam::aws:policy/{path}"

    def bucket_arn(self, bucket: str) -> str:
        return f"arn:{self.partition}:s3:::{bucket}"

    def service_endpoint(self, service: str) -> str:
        """The service name of a VPC endpoint."""
        return f"com.amazonaws.{self.region}.{service}"

    def via(self, service: str) -> str:
        """`service` in the format of kms:ViaService and of regional service principals."""
        return f"{service}.{self.region}.{self.dns_suffix}"

    @property
    def account_root(self) -> str:
        return f"arn:{self.partition}:iam::{self.account}:root"

    @property
    def cluster_arn(self) -> str:
        return self.arn("ecs", f"cluster/{self.cluster}")

    @property
    def log_group_arn(self) -> str:
        return self.arn("logs", f"log-group:{self.log_group}")

    @property
    def repository_arn(self) -> str:
        return self.arn("ecr", f"repository/{self.repository}")

    @property
    def execution_role_arn(self) -> str:
        return self.role_arn(self.execution_role)

    @property
    def task_role_arn(self) -> str:
        return self.role_arn(self.task_role)
