"""Permissions: the role that starts the tasks, those of the tasks, and those that Terraform runs with."""

import dataclasses
from collections.abc import Mapping, Sequence

import pulumi
import pulumi_aws as aws

from ..names import PhysicalNames
from ..network.vpc import Vpc
from ..outputs import declared_outputs, with_part
from ..parts import Parts
from ..policy_documents import Statement, allow, document, document_of_outputs, trust_role, trust_tasks
from ..secrets.existing_secrets import container_secrets
from ..settings import Settings
from . import permissions_boundary, plan_role, state, task_role
from .deny_statements import OwnStack, deny_own_network, deny_own_resources, deny_own_tasks, deny_unbounded_roles
from .task_role import Scope


def require_fit(names: PhysicalNames, settings: Settings, *, zones: int) -> None:
    """Check that the policies fit into AWS' limits, before anything is registered. A VPC of the stack's own has subnets in so many zones.

    Raises:
        pulumi.RunError: a policy would have too many characters; names the settings that make it long.
    """
    state.require_fit(names, settings.terraform)
    if settings.terraform.creates_boundary:
        permissions_boundary.require_fit(
            names,
            settings.terraform.managed_name_prefixes,
            settings.existing_secret_names,
            subnets=(len([*settings.network.public_subnet_ids, *settings.network.private_subnet_ids]) or 2 * zones)
            + sum(len(group.subnet_ids) for group in settings.worker_groups),
            listener_arn=settings.existing.https_listener_arn,
            isolates=settings.terraform.isolates,
        )


class Permissions(pulumi.ComponentResource):
    """The execution role and the task role."""

    execution_role_arn: pulumi.Output[str]
    task_role_arn: pulumi.Output[str]

    def __init__(self, name: str, parts: Parts, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("atlantis:index:Permissions", name, None, opts)
        self._parts, self._context = parts, parts.context
        settings, names = parts.settings, parts.context.names
        self._settings = settings.terraform
        self._child = pulumi.ResourceOptions(parent=self)
        boundary_arn = self._settings.permissions_boundary_arn or names.policy_arn(names.permissions_boundary)
        self._scope = Scope(
            names=names,
            prefixes=tuple(self._settings.managed_name_prefixes),
            permissions_boundary_arn=boundary_arn,
        )
        existing = [with_part(names.secret_pattern, name) for name in settings.existing_secret_names]
        self._container_secrets = container_secrets(settings.task.extra_containers)
        self._own = OwnStack(
            names=names,
            secret_arns=[names.own_secrets, *existing, *parts.existing.arns],
            parameter_arns=[*parts.existing.parameter_arns, *self._container_secrets],
            deployer_arns=settings.server.secret_reader_arns,
            permissions_boundary_arn=boundary_arn,
            security_group_ids=parts.network.security_group_ids,
            subnet_ids=() if self._settings.share_subnets else _subnet_ids(parts.vpc, settings),
            isolates=self._settings.isolates,
            listener_arn=settings.existing.https_listener_arn,
            load_balancer_security_group_id=settings.existing.load_balancer_security_group_id,
        )

        if self._settings.creates_boundary:
            self._boundary()
        execution_role = self._role("execution-role", names.execution_role, "starts the task: image, secrets, logs")
        task_role_ = self._role("task-role", names.task_role, "what Terraform runs with inside the task")
        self._execution_policies(execution_role)
        policies = self._task_policies()
        self.worker_role_arns: dict[str, pulumi.Output[str]] = {}
        """The task roles of the workers by kind."""
        if self._settings.isolates:
            self._attach("task-file-system", task_role_, policies["file-system"])
            self._isolate(policies)
        else:
            for subject, policy in policies.items():
                self._attach(f"task-{subject}", task_role_, policy)
            self._attach_additional("task", task_role_, self._settings.additional_policy_arns)

        self.execution_role_arn = execution_role.arn
        self.task_role_arn = task_role_.arn
        self.register_outputs(declared_outputs(self))

    def _role(self, label: str, physical_name: str, purpose: str, *, assumed_by: str | None = None) -> aws.iam.Role:
        """A role of the task or, with the name of a role that may assume it, a role for that role's sessions."""
        names = self._context.names
        return aws.iam.Role(
            f"{self.pulumi_resource_name}-{label}",
            name=physical_name,
            description=f"Atlantis {names.environment}: {purpose}",
            assume_role_policy=trust_role(names, assumed_by) if assumed_by else trust_tasks(names),
            permissions_boundary=self._settings.permissions_boundary_arn,
            tags=self._context.tags,
            opts=self._child,
        )

    def _boundary(self) -> None:
        """Create the boundary of Terraform's roles. It isn't for the task role, which creates roles and mounts the file system."""
        names = self._context.names
        aws.iam.Policy(
            f"{self.pulumi_resource_name}-boundary",
            name=names.permissions_boundary,
            description=f"Atlantis {names.environment}: what a role that Terraform creates can have at most",
            # Without the deployers' ARNs, because the boundary allows no IAM actions.
            policy=permissions_boundary.fitting_document(
                permissions_boundary.statements(self._scope, dataclasses.replace(self._own, deployer_arns=()))
            ),
            tags=self._context.tags,
            opts=self._child,
        )

    def _execution_policies(self, role: aws.iam.Role) -> None:
        names, own, existing, locking = (
            self._context.names,
            self._parts.secrets,
            self._parts.existing,
            self._parts.locking,
        )
        of_locking, key_of_locking = ([locking.password_secret_arn], [locking.key_arn]) if locking else ([], [])
        read = [*own.arns.values(), *of_locking, *existing.arns]
        secrets: list[Statement] = [allow("ReadTaskSecrets", ["secretsmanager:GetSecretValue"], read)]
        if keys := [*own.key_arns, *key_of_locking, *existing.key_arns]:
            via = {"StringEquals": {"kms:ViaService": names.via("secretsmanager")}}
            secrets.append(allow("DecryptTaskSecrets", ["kms:Decrypt", "kms:DescribeKey"], keys, via))
        if arns := existing.parameter_arns:
            secrets += [
                allow("ReadTaskParameters", ["ssm:GetParameters"], arns),
                _decrypt(names, "DecryptTaskParameters", "ssm", "PARAMETER_ARN", arns),
            ]
        if arns := self._container_secrets:
            reading = ["secretsmanager:GetSecretValue", "ssm:GetParameters"]
            secrets += [
                allow("ReadContainerSecrets", reading, arns),
                _decrypt(names, "DecryptContainerSecrets", "secretsmanager", "SecretARN", arns),
                _decrypt(names, "DecryptContainerParameters", "ssm", "PARAMETER_ARN", arns),
            ]
        aws.iam.RolePolicyAttachment(
            f"{self.pulumi_resource_name}-execution-managed",
            role=role.name,
            policy_arn=names.aws_policy_arn("service-role/AmazonECSTaskExecutionRolePolicy"),
            opts=self._child,
        )
        aws.iam.RolePolicy(
            f"{self.pulumi_resource_name}-execution-secrets",
            name="task-secrets",
            role=role.id,
            policy=document_of_outputs(secrets),
            opts=self._child,
        )

    def _isolate(self, policies: Mapping[str, aws.iam.Policy]) -> None:
        """Attach Terraform's policies to the roles of plans and applies, which only the workers of their kind can assume."""
        names, settings, scope = self._context.names, self._settings, self._scope
        plan, apply = self._terraform_role("plan"), self._terraform_role("apply")
        if self._parts.settings.drift.enabled:
            drift = self._role("drift-role", names.drift_role, "the agent's own log", assumed_by=names.task_role)
            self._inline("drift-log", "own-log", drift, plan_role.own_log(names))
        for subject, policy in policies.items():
            if subject != "file-system":
                self._attach(f"apply-{subject}", apply, policy)
        for subject in ("own-stack", "read"):
            self._attach(f"plan-{subject}", plan, policies[subject])
        self._attach_additional("apply", apply, settings.additional_policy_arns)
        self._attach_additional("plan", plan, settings.additional_plan_policy_arns)
        documents: dict[str, pulumi.Input[str]] = {
            subject: document_of_outputs(statements)
            for subject, statements in state.plan_statements(names, settings).items()
        }
        managed = [
            *task_role.containers(scope),
            *task_role.load_balancers(scope),
            *task_role.roles(scope),
            *task_role.logs_and_secrets(scope),
        ]
        prefixes = self._parts.settings.workers.plan_secret_prefixes
        reads = plan_role.reading(managed) if settings.managed_name_prefixes else []
        if reads := [*reads, *plan_role.secret_values(names, prefixes)]:
            documents["managed"] = document_of_outputs(reads)
        for subject, policy in documents.items():
            made = self._managed_policy(
                f"plan-{subject}", f"{names.terraform_role('plan')}-{subject}", f"what plans may do ({subject})", policy
            )
            self._attach(f"plan-{subject}", plan, made)

    def _terraform_role(self, role: str) -> aws.iam.Role:
        """The role that plans or applies run with, and the task role of the workers, which hand out its sessions."""
        names = self._context.names
        worker = self._role(f"{role}-worker-role", names.worker_role(role), f"the workers that run {role} commands")
        arns = plan_role.terraform_roles(names, role, self._settings.roles_of_repositories)
        self._inline(
            f"{role}-worker-sessions",
            "sessions",
            worker,
            [*plan_role.sessions(arns), *task_role.task_protection(names)],
        )
        self.worker_role_arns[role] = worker.arn
        purpose = {"plan": "what plans run with", "apply": "what applies run with"}[role]
        return self._role(f"{role}-role", names.terraform_role(role), purpose, assumed_by=names.worker_role(role))

    def _inline(self, label: str, name: str, role: aws.iam.Role, statements: Sequence[Statement]) -> None:
        aws.iam.RolePolicy(
            f"{self.pulumi_resource_name}-{label}",
            name=name,
            role=role.id,
            policy=document(statements),
            opts=self._child,
        )

    def _task_policies(self) -> dict[str, aws.iam.Policy]:
        """The policies of the task and of Terraform, by subject."""
        storage, scope, own = self._parts.storage, self._scope, self._own
        detects_drift = self._parts.settings.drift.enabled
        # Whatever policies of the operator's allow, Terraform can't bypass the stack's limits.
        others = [*self._settings.additional_policy_arns, *self._settings.additional_plan_policy_arns]
        documents: dict[str, pulumi.Input[str]] = {
            # The task's own permissions, besides Terraform's: a separate policy would use up a role's quota of ten.
            "file-system": document_of_outputs(
                [
                    *task_role.file_system(storage.file_system_arn, storage.access_point_arn),
                    *task_role.task_protection(own.names),
                    *(plan_role.server(own.names, detects_drift=detects_drift) if self._settings.isolates else ()),
                ]
            ),
            "own-stack": document_of_outputs(
                [deny_own_resources(own), *(permissions_boundary.against_bypasses(own) if others else ())]
            ),
        }
        if self._settings.terraform_state_buckets or self._settings.terraform_lock_tables:
            documents["state"] = document_of_outputs(state.statements(own.names, self._settings))
        # A role can have ten managed policies, so the roles to assume have no separate policy where there is one role.
        by_plans, by_applies = self._settings.assumable_role_arns, ()
        if self._settings.isolates:
            by_plans, by_applies = self._settings.plan_assumable_role_arns, self._settings.assumable_role_arns
        documents["read"] = document_of_outputs([*task_role.read(scope.names), *task_role.assume_roles(by_plans)])
        if by_applies:
            documents["assume"] = document_of_outputs(task_role.assume_roles(by_applies))
        if self._settings.managed_name_prefixes:
            documents |= {
                "containers": document([*task_role.containers(scope), deny_own_tasks(own.names)]),
                "security-groups": document_of_outputs([*task_role.security_groups(scope), *deny_own_network(own)]),
                "load-balancers": document(task_role.load_balancers(scope)),
                "roles": document_of_outputs([*task_role.roles(scope), *deny_unbounded_roles(own)]),
                "logs-and-secrets": document(task_role.logs_and_secrets(scope)),
            }
        return {
            subject: self._managed_policy(
                f"task-{subject}", f"{own.names.task_role}-{subject}", f"what Terraform may do ({subject})", policy
            )
            for subject, policy in documents.items()
        }

    def _managed_policy(
        self, label: str, physical_name: str, purpose: str, policy: pulumi.Input[str]
    ) -> aws.iam.Policy:
        """A managed policy per subject: all inline policies of a role together are limited to 10,240 characters."""
        return aws.iam.Policy(
            f"{self.pulumi_resource_name}-{label}",
            name=physical_name,
            description=f"Atlantis {self._context.names.environment}: {purpose}",
            policy=policy,
            tags=self._context.tags,
            opts=self._child,
        )

    def _attach_additional(self, kind: str, role: aws.iam.Role, arns: Sequence[pulumi.Input[str]]) -> None:
        """Attach the operator's policies, whose ARNs may be outputs, so that their positions name them."""
        for number, arn in enumerate(arns):
            aws.iam.RolePolicyAttachment(
                f"{self.pulumi_resource_name}-{kind}-additional-{number}",
                role=role.name,
                policy_arn=arn,
                opts=self._child,
            )

    def _attach(self, label: str, role: aws.iam.Role, policy: aws.iam.Policy) -> None:
        aws.iam.RolePolicyAttachment(
            f"{self.pulumi_resource_name}-{label}-attachment",
            role=role.name,
            policy_arn=policy.arn,
            opts=self._child,
        )


def _decrypt(
    names: PhysicalNames, sid: str, service: str, context: str, arns: Sequence[pulumi.Input[str]]
) -> Statement:
    """Decrypting these values alone, with whichever key encrypts them: ``context`` is in the encryption context of ``service``.

    Only DescribeParameters, a call on all parameters, shows a parameter's key, whose policy must still allow it.
    """
    these = {"kms:ViaService": names.via(service), f"kms:EncryptionContext:{context}": list(arns)}
    return allow(sid, ["kms:Decrypt"], [names.arn("kms", "key/*")], {"StringEquals": these})


def _subnet_ids(vpc: Vpc, settings: Settings) -> list[pulumi.Input[str]]:
    """The subnets of the stack, and those of its workers."""
    of_workers = [subnet for group in settings.worker_groups for subnet in group.subnet_ids]
    return [*vpc.public_subnet_ids, *vpc.private_subnet_ids, *of_workers]
