"""The roles with which the deployed Atlantis runs Terraform, and sessions of them."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.atlantis.agent import WORKERS
from sandbox.testbed.containers.deployed_service import Credentials, DeployedService

_VARIABLE, _SESSION = "ISOLATION_ROLES", "rehearsal"


@dataclass(frozen=True)
class TerraformRoles:
    """The ARNs of the roles for plans and for applies; both are the task role unless Terraform runs in workers.

    ``task`` is the role of the task that applies: the server's, or that of a worker, which assumes ``apply``.
    """

    task: str
    plan: str
    apply: str
    by_repository: bool = False
    """Whether `repositoryRoles` gives repositories separate roles, which may be in other accounts."""

    @classmethod
    def of(cls, deployment: DeployedService) -> "TerraformRoles":
        """The roles of a deployed stack."""
        found = [_of_workers(deployment.sibling(suffix)) for suffix in WORKERS]
        if not all(found):
            task = deployment.task_definition(deployment.require_service().definition)["taskRoleArn"]
            return cls(task, task, task)
        (_, plan), (task, apply) = filter(None, found)
        return cls(task, plan["default"], apply["default"], bool(plan["patterns"] or apply["patterns"]))

    @property
    def names(self) -> Mapping[str, str]:
        """The names of the two roles by kind: ``plan`` and ``apply``."""
        return {kind: arn.rpartition("/")[2] for kind, arn in (("plan", self.plan), ("apply", self.apply))}

    def session(self, deployment: DeployedService) -> Credentials:
        """A session of the apply role, outside of the task."""
        own = deployment.assume(self.task, _SESSION)
        if self.apply == self.task:
            return own
        answer = deployment.client("sts", own).assume_role(RoleArn=self.apply, RoleSessionName=_SESSION)["Credentials"]
        return Credentials(
            answer["AccessKeyId"], answer["SecretAccessKey"], answer["SessionToken"], answer["Expiration"]
        )


def _of_workers(workers: DeployedService) -> tuple[str, dict[str, Any]] | None:
    """The task role of workers, and the roles that they assume; None if there are no workers."""
    service = workers.service()
    if service is None:
        return None
    roles = json.loads(workers.variables(service.definition)[_VARIABLE])
    return workers.task_definition(service.definition)["taskRoleArn"], roles
