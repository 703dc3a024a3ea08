"""A service like the deployed one, made directly in a local AWS: for what can be tested without the engine."""

import copy
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from sandbox.atlantis import build, lifecycle
from sandbox.testbed import local_aws
from sandbox.testbed.containers.deployed_service import DeployedService
from sandbox.testbed.engine.workspace import clean_environment
from tests.sandbox import objects

NAME = "atlantis-local"
GROUP = "/ecs/atlantis-local"
REPOSITORY = "atlantis"
BUCKET, TABLE = "local-terraform-state", "local-terraform-locks"
OWNER = "example-organisation"


def _allow(actions: list[str], resources: list[str]) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": resources}


def _document(statements: list[dict[str, Any]]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


TRUST = _document(
    [{"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}]
)


class LocalService:
    """The parts that a task needs, with the names and the shape that the program gives them."""

    def __init__(self, state: Path) -> None:
        self.aws = local_aws.start(state, {"PATH": "/usr/bin:/bin"})
        self.deployment = DeployedService(state, self.aws.endpoint, self.aws.region, NAME, NAME)
        names = {"region": self.aws.region, "account": self.aws.account, "version": build.version()}
        objects.make(self.aws.client, Path(__file__).with_name("objects.yaml"), names)
        self.app_secret, self.target_group, self.first = names["app_secret"], names["target_group"], names["definition"]
        self.roles = {"execution": names["execution_role"], "task": names["task_role"]}
        described = self.aws.client("ecs").describe_task_definition(taskDefinition=self.first)["taskDefinition"]
        (self.container,), (self.volume,) = described["containerDefinitions"], described["volumes"]

    def register(
        self,
        change: Any = None,
        execution_role: str | None = None,
        *,
        others: Sequence[Mapping[str, Any]] = (),
        volumes: Sequence[Mapping[str, Any]] = (),
    ) -> str:
        """Register a revision of the task definition; ``change`` edits the server's container in place.

        ``others`` and ``volumes`` are next to those of the server.
        """
        container = copy.deepcopy(self.container)
        if change is not None:
            change(container)
        described = self.aws.client("ecs").register_task_definition(
            family=NAME,
            requiresCompatibilities=["FARGATE"],
            networkMode="awsvpc",
            cpu="2048",
            memory="4096",
            executionRoleArn=execution_role or self.roles["execution"],
            taskRoleArn=self.roles["task"],
            volumes=[self.volume, *volumes],
            containerDefinitions=[container, *others],
        )
        return described["taskDefinition"]["taskDefinitionArn"]

    def deploy(self, definition: str, count: int = 1) -> None:
        """Make the service want ``definition``."""
        self.aws.client("ecs").update_service(
            cluster=NAME, service=NAME, taskDefinition=definition, desiredCount=count, forceNewDeployment=True
        )

    def run_with(self, variables: Mapping[str, str], secrets: Sequence[Mapping[str, str]] = ()) -> None:
        """Run the task with these variables and secrets in addition to its own."""

        def configure(container: dict[str, Any]) -> None:
            container["environment"] += [{"name": name, "value": value} for name, value in variables.items()]
            container["secrets"] += secrets

        self.deploy(self.register(configure))
        lifecycle.bring_up(self.deployment, clean_environment())

    def allow_reading(self, secret: str) -> None:
        """Let the execution role read one secret more."""
        statement = _allow(["secretsmanager:GetSecretValue"], [secret])
        name = self.roles["execution"].rpartition("/")[2]
        document = _document([statement])
        self.aws.client("iam").put_role_policy(RoleName=name, PolicyName="more", PolicyDocument=document)

    @property
    def repository_arn(self) -> str:
        return f"arn:aws:ecr:{self.aws.region}:{self.aws.account}:repository/{REPOSITORY}"


def variable(name: str, value: str | None) -> Any:
    """An edit for ``LocalService.register``: set a plain variable of the container, or take it away."""

    def change(container: dict[str, Any]) -> None:
        kept = [item for item in container["environment"] if item["name"] != name]
        container["environment"] = kept if value is None else [*kept, {"name": name, "value": value}]

    return change


def create_lock_table(client: Any) -> None:
    """Create the table with the locks of states; ``client`` is one of DynamoDB."""
    client.create_table(
        TableName=TABLE,
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": "LockID", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "LockID", "AttributeType": "S"}],
    )
