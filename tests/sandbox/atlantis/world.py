"""A service like the deployed one, made directly in a local AWS: for what can be tested without the engine."""

import copy
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from components.compute import task_protection
from sandbox.atlantis import build, lifecycle
from sandbox.testbed import local_aws
from sandbox.testbed.containers.deployed_service import DeployedService
from sandbox.testbed.engine.workspace import clean_environment

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


class World:
    """The parts that a task needs, with the names and the shape that the program gives them."""

    def __init__(self, state: Path) -> None:
        self.aws = local_aws.start(state, {"PATH": "/usr/bin:/bin"})
        self.deployment = DeployedService(state, self.aws.endpoint, self.aws.region, NAME, NAME)
        self.app_secret, self.webhook_secret = self._secrets()
        self.target_group = self._load_balancer()
        self.container, self.volume = self._container(), self._volume()
        self.roles = self._roles()
        self.aws.client("logs").create_log_group(logGroupName=GROUP)
        self.aws.client("ecr").create_repository(repositoryName=REPOSITORY, imageTagMutability="IMMUTABLE")
        self.first = self.register()
        self._service()

    def register(
        self,
        change: Any = None,
        execution_role: str | None = None,
        *,
        protected: bool = False,
        others: Sequence[Mapping[str, Any]] = (),
        volumes: Sequence[Mapping[str, Any]] = (),
    ) -> str:
        """Register a revision of the task definition; ``change`` edits the server's container in place.

        ``protected`` adds the container that protects the task while operations are in progress. ``others`` and ``volumes`` are
        next to those of the server.
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
            containerDefinitions=[container, *([self._task_protection()] if protected else []), *others],
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
        lifecycle.bring_up(self.deployment, clean_environment(), patience=120)

    def allow_reading(self, secret: str) -> None:
        """Let the execution role read one secret more."""
        statement = _allow(["secretsmanager:GetSecretValue"], [secret])
        name = self.roles["execution"].rpartition("/")[2]
        document = _document([statement])
        self.aws.client("iam").put_role_policy(RoleName=name, PolicyName="more", PolicyDocument=document)

    def task_arn(self, task: str) -> str:
        return f"arn:aws:ecs:{self.aws.region}:{self.aws.account}:task/{NAME}/{task}"

    @property
    def repository_arn(self) -> str:
        return f"arn:aws:ecr:{self.aws.region}:{self.aws.account}:repository/{REPOSITORY}"

    def _secrets(self) -> tuple[str, str]:
        client = self.aws.client("secretsmanager")
        app = client.create_secret(Name="local-atlantis-github-app")["ARN"]
        webhook = client.create_secret(
            Name="local-atlantis-webhook-secret", SecretString=json.dumps({"webhook_secret": "throw-away-" + "w" * 30})
        )["ARN"]
        return app, webhook

    def _load_balancer(self) -> str:
        ec2, client = self.aws.client("ec2"), self.aws.client("elbv2")
        vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
        subnets = [
            ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.9.{index}.0/24", AvailabilityZone=f"{self.aws.region}{zone}")
            for index, zone in enumerate("ac")
        ]
        balancer = client.create_load_balancer(
            Name=NAME, Subnets=[item["Subnet"]["SubnetId"] for item in subnets], Scheme="internal"
        )
        arn = balancer["LoadBalancers"][0]["LoadBalancerArn"]
        group = client.create_target_group(
            Name=f"{NAME}-atlantis", Protocol="HTTP", Port=4141, VpcId=vpc, TargetType="ip", HealthCheckPath="/healthz"
        )["TargetGroups"][0]["TargetGroupArn"]
        client.modify_target_group_attributes(
            TargetGroupArn=group, Attributes=[{"Key": "deregistration_delay.timeout_seconds", "Value": "30"}]
        )
        redirect = {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}
        client.create_listener(
            LoadBalancerArn=arn,
            Protocol="HTTP",
            Port=80,
            DefaultActions=[{"Type": "redirect", "RedirectConfig": redirect}],
        )
        refused = {"StatusCode": "403", "ContentType": "text/plain", "MessageBody": "Forbidden"}
        certificate = self.aws.client("acm").request_certificate(DomainName="atlantis.example.com")["CertificateArn"]
        https = client.create_listener(
            LoadBalancerArn=arn,
            Protocol="HTTPS",
            Port=443,
            Certificates=[{"CertificateArn": certificate}],
            DefaultActions=[{"Type": "fixed-response", "FixedResponseConfig": refused}],
        )["Listeners"][0]["ListenerArn"]
        client.create_rule(
            ListenerArn=https,
            Priority=10,
            Conditions=[{"Field": "source-ip", "SourceIpConfig": {"Values": ["127.0.0.0/8"]}}],
            Actions=[{"Type": "forward", "TargetGroupArn": group}],
        )
        return group

    def _volume(self) -> dict[str, Any]:
        client = self.aws.client("efs")
        system = client.create_file_system(CreationToken=NAME, Encrypted=True)["FileSystemId"]
        point = client.create_access_point(
            FileSystemId=system, PosixUser={"Uid": 100, "Gid": 100}, RootDirectory={"Path": "/atlantis-data"}
        )["AccessPointId"]
        subnet = self.aws.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
        client.create_mount_target(FileSystemId=system, SubnetId=subnet)
        return {
            "name": "atlantis-data",
            "efsVolumeConfiguration": {
                "fileSystemId": system,
                "transitEncryption": "ENABLED",
                "authorizationConfig": {"accessPointId": point, "iam": "ENABLED"},
            },
        }

    def _roles(self) -> dict[str, str]:
        execution = [
            _allow(["secretsmanager:GetSecretValue"], [self.app_secret, self.webhook_secret]),
            _allow(["logs:CreateLogStream", "logs:PutLogEvents"], ["*"]),
            _allow(["ecr:GetAuthorizationToken"], ["*"]),
            _allow(["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"], [self.repository_arn]),
        ]
        table = f"arn:aws:dynamodb:{self.aws.region}:{self.aws.account}:table/{TABLE}"
        task = [
            _allow(["s3:ListBucket", "s3:GetBucketVersioning"], [f"arn:aws:s3:::{BUCKET}"]),
            _allow(["s3:GetObject", "s3:PutObject"], [f"arn:aws:s3:::{BUCKET}/*"]),
            _allow(["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem", "dynamodb:DescribeTable"], [table]),
            _allow(["ecs:GetTaskProtection", "ecs:UpdateTaskProtection"], [self.task_arn("*")]),
        ]
        return {"execution": self._role("execution", execution), "task": self._role("task", task)}

    def _role(self, kind: str, statements: list[dict[str, Any]]) -> str:
        client = self.aws.client("iam")
        name = f"atlantis-ecs-{kind}-local"
        role = client.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
        client.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=_document(statements))
        return role

    def _container(self) -> dict[str, Any]:
        app, webhook = self.app_secret, self.webhook_secret
        environment = {
            "ATLANTIS_ATLANTIS_URL": "https://atlantis.example.com",
            "ATLANTIS_CHECKOUT_STRATEGY": "merge",
            "ATLANTIS_DATA_DIR": "/home/atlantis/.atlantis",
            "ATLANTIS_GH_HOSTNAME": "github.com",
            "ATLANTIS_LOG_LEVEL": "info",
            "ATLANTIS_PORT": "4141",
            "ATLANTIS_REPO_ALLOWLIST": f"github.com/{OWNER}/*",
            "ATLANTIS_WRITE_GIT_CREDS": "true",
        }
        secrets = {
            "ATLANTIS_GH_APP_ID": f"{app}:app_id::",
            "ATLANTIS_GH_APP_INSTALLATION_ID": f"{app}:installation_id::",
            "ATLANTIS_GH_APP_KEY": f"{app}:private_key::",
            "ATLANTIS_GH_WEBHOOK_SECRET": f"{webhook}:webhook_secret::",
        }
        return {
            "name": "atlantis",
            "image": f"{self.aws.account}.dkr.ecr.{self.aws.region}.amazonaws.com/{REPOSITORY}:{build.version()}",
            "essential": True,
            "portMappings": [{"containerPort": 4141, "hostPort": 4141, "protocol": "tcp"}],
            "environment": [{"name": key, "value": value} for key, value in environment.items()],
            "secrets": [{"name": key, "valueFrom": value} for key, value in secrets.items()],
            "mountPoints": [{"sourceVolume": "atlantis-data", "containerPath": "/home/atlantis/.atlantis"}],
            "healthCheck": {
                "command": ["CMD-SHELL", "curl -f http://localhost:4141/healthz || exit 1"],
                "interval": 30,
                "timeout": 5,
                "retries": 3,
                "startPeriod": 60,
            },
            "stopTimeout": 120,
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {
                    "awslogs-group": GROUP,
                    "awslogs-region": self.aws.region,
                    "awslogs-stream-prefix": "atlantis",
                },
            },
        }

    def _task_protection(self) -> dict[str, Any]:
        return dict(
            task_protection.container(
                image=self.container["image"], user="100:1000", port=4141, log_group=GROUP, region=self.aws.region
            )
        )

    def _service(self) -> None:
        client = self.aws.client("ecs")
        subnet = self.aws.client("ec2").describe_subnets()["Subnets"][0]["SubnetId"]
        client.create_cluster(clusterName=NAME)
        client.create_service(
            cluster=NAME,
            serviceName=NAME,
            taskDefinition=self.first,
            networkConfiguration={"awsvpcConfiguration": {"subnets": [subnet]}},
            desiredCount=1,
            launchType="FARGATE",
            deploymentConfiguration={
                "minimumHealthyPercent": 0,
                "maximumPercent": 100,
                "deploymentCircuitBreaker": {"enable": True, "rollback": True},
            },
            loadBalancers=[{"targetGroupArn": self.target_group, "containerName": "atlantis", "containerPort": 4141}],
        )


def variable(name: str, value: str | None) -> Any:
    """An edit for ``World.register``: set a plain variable of the container, or take it away."""

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
