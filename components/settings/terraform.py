"""The settings of Terraform's permissions."""

from collections.abc import Sequence

from pulumi import Input

from . import accepted, values
from .schema import Group, group, setting
from .workers import isolation


@group
class TerraformArgs(Group):
    """The permissions of Terraform in the task."""

    terraform_state_buckets: Sequence[Input[str]] = setting(accepted.bucket_names, default=())
    """Names of the S3 buckets with Terraform states that the task can read and write"""
    terraform_state_prefixes: Sequence[str] = setting(accepted.state_prefixes, default=())
    """Prefixes of the keys in terraformStateBuckets that the task can read and write, such as platform/ or, with terraformIsolation
    tasks, states/{repository}/ for each repository's own (states/my-organization/shop/). They also limit workspaces, so set
    workspace_key_prefix in Terraform's backend. Empty: every key"""
    terraform_state_key_arns: Sequence[Input[str]] = setting(accepted.key_arns, default=())
    """ARNs of the customer managed keys that encrypt these buckets"""
    assumable_role_arns: Sequence[Input[str]] = setting(accepted.assumable_role_arns, default=())
    """ARNs of roles in this and other accounts that Terraform can assume; with terraformIsolation tasks, in an apply only. `make
    trust-policy` prints their trust policy"""
    terraform_lock_tables: Sequence[Input[str]] = setting(accepted.table_names, default=())
    """Names of the DynamoDB tables with the state locks"""
    managed_name_prefixes: Sequence[str] = setting(accepted.name_prefixes, default=())
    """Prefixes, such as shop-, of the names of roles, clusters, repositories, load balancers, log groups and secrets that Terraform
    can manage. Empty: only its state"""
    permissions_boundary_arn: Input[str] | None = setting(accepted.policy_arn, default=None)
    """ARN of the permissions boundary of the task role, the execution role and every role that Terraform creates. Empty: the stack
    creates a boundary for the roles that Terraform creates"""
    additional_policy_arns: Sequence[Input[str]] = setting(accepted.additional_policy_arns, default=())
    """ARNs of more policies of the task role, or of the role of applies with terraformIsolation tasks. The stack denies what they
    allow on its own resources, users, policies, and roles without the boundary"""
    additional_plan_policy_arns: Sequence[Input[str]] = setting(accepted.additional_policy_arns, default=())
    """ARNs of more policies for the role of plans. Only with terraformIsolation tasks"""
    share_subnets: bool = setting(values.boolean, default=False)
    """Allow Terraform to run ECS services in the subnets of this stack. Such a service can use Atlantis' security groups"""
    terraform_isolation: str = setting(isolation, default="none")
    """none, or tasks: plans and applies run in separate ECS services with a role each, and a plan can't write. Requires the image
    of docker/"""
    module_repositories: Sequence[str] = setting(accepted.repository_names, default=())
    """Names of the repositories from which init can download private modules. Empty: all of the GitHub App's installation. Only
    with terraformIsolation tasks"""

    repository_roles: Sequence[str] = setting(accepted.repository_roles, default=())
    """Roles of certain repositories that replace the stack's, in this or other accounts: my-organization/shop-*=<ARN of the plan
    role> <ARN of the apply role>. The first match counts. `make trust-policy SETTING=repositoryRoles` prints their trust policies.
    Only with terraformIsolation tasks"""

    plan_assumable_role_arns: Sequence[Input[str]] = setting(accepted.assumable_role_arns, default=())
    """ARNs of roles in this and other accounts that Terraform can assume in a plan too. Everyone who can open a pull request gets
    what they allow, so they should only read. Only with terraformIsolation tasks"""

    @property
    def assumable_by_plans(self) -> Sequence[Input[str]]:
        """Roles that plans and applies can assume."""
        return self.plan_assumable_role_arns if self.isolates else self.assumable_role_arns

    @property
    def assumable_by_applies(self) -> Sequence[Input[str]]:
        """Roles that applies can assume and plans can't; none where both have the task role."""
        return self.assumable_role_arns if self.isolates else ()

    @property
    def roles_of_repositories(self) -> list[tuple[str, str, str]]:
        """Pattern, plan role and apply role of each entry."""
        entries = (entry.partition("=") for entry in self.repository_roles)
        return [(pattern, *arns.split(" ", 1)) for pattern, _, arns in entries]  # pyright: ignore[reportReturnType]

    @property
    def has_additional_policies(self) -> bool:
        """Whether Terraform's roles have policies that the stack doesn't write."""
        return bool(self.additional_policy_arns or self.additional_plan_policy_arns)

    @property
    def isolates(self) -> bool:
        """Whether Terraform runs in workers, with a role for plans and one for applies."""
        return self.terraform_isolation == "tasks"

    @property
    def managed_names(self) -> list[str]:
        """Patterns of the names that Terraform manages, its roles' among them."""
        return [f"{prefix}*" for prefix in self.managed_name_prefixes]

    @property
    def creates_boundary(self) -> bool:
        """Whether Terraform may create roles, under a boundary that the stack creates."""
        return bool(self.managed_name_prefixes) and self.permissions_boundary_arn is None
