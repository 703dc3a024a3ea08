"""An account in which everything is as a production deployment needs it, for tests to spoil one thing at a time."""

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import urllib3
import yaml
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from components import settings
from components.names import PhysicalNames
from components.permissions.deny_statements import OwnStack
from components.permissions.permissions_boundary import statements_for_any_role
from preflight.check import Check, Result, run_checks
from preflight.command import CHECKS
from preflight.deployment import Deployment
from preflight.errors import Status
from sandbox.substitutes.made import made
from sandbox.testbed.local_aws import ACCOUNT, REGION, LocalAws
from tests.preflight.altered_aws import AlteredAws, Changes, KeptClients

TAG = "v0.47.1"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"


ROOT = KeptClients("test", "test")

APP_KEY = (
    rsa.generate_private_key(public_exponent=65537, key_size=2048)
    .private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    .decode()
)


@dataclass
class Account:
    """The prepared account; `values` is what the stack file says, `altered` what AWS answers differently."""

    aws: LocalAws
    values: dict[str, Any] = field(default_factory=dict)
    altered: Changes = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    session: boto3.Session = ROOT

    names = PhysicalNames(environment="prod", account=ACCOUNT, region=REGION, partition="aws")

    def client(self, service: str) -> Any:
        return self.aws.client(service)

    def results(self, checks: Sequence[Check] = CHECKS) -> dict[str, Result]:
        """Run the checks; results by `subject: title`."""
        parsed = settings.parse(self.values, stack="prod", region=REGION)
        aws = AlteredAws(REGION, self.session, self.altered)
        return {f"{r.subject}: {r.title}": r for r in run_checks(checks, Deployment("prod", parsed, aws))}

    def result(self, name: str) -> Result:
        """Run one check, after those that it needs."""
        wanted = next(check for check in CHECKS if f"{check.subject}: {check.title}" == name)
        needed = {wanted.function}
        for check in reversed(CHECKS):
            if check.function in needed:
                needed.update(check.needs)
        return self.results([check for check in CHECKS if check.function in needed])[name]

    def write_stack_file(self, file: Path, **more: Any) -> None:
        """Write what the stack file says, with a setting of the engine."""
        config = {f"atlantis:{key}": value for key, value in (self.values | more).items()}
        config |= {"aws:region": REGION, "pulumi:tags": {"team": "platform"}}
        file.write_text(yaml.safe_dump({"config": config}), encoding="utf-8")

    def run_command(self, module: str, file: Path, *options: str) -> "subprocess.CompletedProcess[str]":
        """Run a command with the stack file, as people and pipelines call it."""
        self.write_stack_file(file)
        return run_module(module, file, *options)

    def push_image(
        self,
        architecture: str,
        tag: str = TAG,
        repository: str = "atlantis",
        labels: Mapping[str, str] | None = None,
    ) -> str:
        """Push an image that consists of a configuration only; returns its digest."""
        config = json.dumps({"architecture": architecture, "os": "linux", "config": {"Labels": labels}}).encode()
        digest = f"sha256:{hashlib.sha256(config).hexdigest()}"
        uploads = f"{self.aws.endpoint}/v2/{repository}/blobs/uploads/"
        answer = urllib3.request("POST", f"{uploads}?digest={digest}", body=config)
        assert answer.status == 201, answer.data
        blob = {"mediaType": "application/vnd.oci.image.config.v1+json", "size": len(config), "digest": digest}
        manifest = {"schemaVersion": 2, "mediaType": MANIFEST, "config": blob, "layers": []}
        return self._put_image(manifest, MANIFEST, tag, repository)

    def push_index(self, *architectures: str, tag: str = TAG, digest: str = f"sha256:{'0' * 64}") -> str:
        """Push an index of images, with a build attestation as docker adds one. `digest` is that of the first image."""
        platforms = [{"architecture": name, "os": "linux"} for name in architectures]
        platforms.append({"architecture": "unknown", "os": "unknown"})
        digests = [digest, *(f"sha256:{number:064}" for number in range(1, len(platforms)))]
        entries = [
            {"mediaType": MANIFEST, "size": 1, "digest": digest, "platform": platform}
            for digest, platform in zip(digests, platforms, strict=True)
        ]
        return self._put_image({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}, INDEX, tag, "atlantis")

    def _put_image(self, manifest: dict[str, Any], media_type: str, tag: str, repository: str) -> str:
        answer = self.client("ecr").put_image(
            repositoryName=repository,
            imageManifest=json.dumps(manifest),
            imageManifestMediaType=media_type,
            imageTag=tag,
        )
        return answer["image"]["imageId"]["imageDigest"]

    def put_secret(self, name: str, value: object) -> None:
        text = value if isinstance(value, str) else json.dumps(value)
        self.client("secretsmanager").put_secret_value(SecretId=name, SecretString=text)

    def assume_role(self, *statements: dict[str, Any]) -> None:
        """Look as a role that may do just this."""
        iam = self.client("iam")
        trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
        iam.create_role(RoleName="looker", Path="/platform/", AssumeRolePolicyDocument=policy(trust))
        iam.put_role_policy(RoleName="looker", PolicyName="look", PolicyDocument=policy(*statements))
        answer = self.client("sts").assume_role(
            RoleArn=self.names.role_arn("platform/looker"), RoleSessionName="preflight"
        )
        given = answer["Credentials"]
        self.session = boto3.Session(given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"])

    def assert_only(self, check: str, status: Status, *fragments: str, besides: str = "") -> None:
        """`check` ends with `status` and says all of `fragments`; every other check but `besides` passes, or depends on it.

        With `*` as `besides`, the others aren't run.
        """
        results = {check: self.result(check)} if besides == "*" else self.results()
        result = results[check]
        said = f"{result.message} -> {result.remedy}"
        assert (result.status, [part for part in fragments if part not in said]) == (status, []), said
        others = {
            name: f"{other.status}: {other.message}" for name, other in results.items() if name not in (check, besides)
        }
        unexpected = {
            name: said for name, said in others.items() if not said.startswith(("ok", "not checked: needs: "))
        }
        assert unexpected == {}, unexpected


def run_module(module: str, file: Path, *options: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", module, "--stack", "prod", "--config-file", str(file), *options]
    environment = os.environ | {"COLUMNS": "120"}
    root = Path(__file__).resolve().parents[2]
    return subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=120, check=False)


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def prepare(aws: LocalAws) -> Account:
    """Make everything that a deployment of the stack `prod` needs."""
    account = Account(aws)
    _network(account)
    _certificate(account)
    _state(account)
    _alarms(account)
    _web_acl(account)
    account.client("ecr").create_repository(repositoryName="atlantis", tags=own_tags())
    account.push_image("amd64")
    app = {"app_id": "123456", "installation_id": "12345678", "private_key": APP_KEY}
    secrets = {"prod-atlantis-github-app": app, "prod-atlantis-webhook-secret": {"webhook_secret": "wanted-by-github"}}
    for name, value in secrets.items():
        account.client("secretsmanager").create_secret(Name=name, SecretString=json.dumps(value))
    account.values |= {
        "githubAppSecretName": "prod-atlantis-github-app",
        "webhookSecretName": "prod-atlantis-webhook-secret",
        "allowedCidrBlocks": ["203.0.113.0/24", "198.51.100.32/28"],
        "url": "https://atlantis.example.com",
        "repoAllowlist": "github.com/my-organization/*",
        "secretReaderArns": [f"arn:aws:iam::{ACCOUNT}:role/platform/looker"],
    }
    return account


def share(account: Account) -> None:
    """Put the stack behind a load balancer that others use too."""
    group = made(account.aws, "security group", name="shared", vpc=account.values["vpcId"])
    made(account.aws, "open rule", group=group)
    balancer = made(account.aws, "load balancer", name="shared", subnets=account.values["publicSubnetIds"], group=group)
    listener = made(account.aws, "listener", balancer=balancer, certificate=account.values["acmCertificateArn"])
    made(account.aws, "listener rule", listener=listener)
    for key in ("acmCertificateArn", "publicSubnetIds", "webAclArn"):
        del account.values[key]
    account.values |= {"httpsListenerArn": listener, "loadBalancerSecurityGroupId": group}
    account.ids["listener"] = listener


def own_tags() -> list[dict[str, str]]:
    own = {"Project": "atlantis", "Environment": "prod", "ManagedBy": "pulumi"}
    return [{"Key": key, "Value": value} for key, value in own.items()]


def _network(account: Account) -> None:
    ec2 = account.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    for attribute in ("EnableDnsSupport", "EnableDnsHostnames"):
        ec2.modify_vpc_attribute(VpcId=vpc, **{attribute: {"Value": True}})
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    account.ids |= {"vpc": vpc, "internet gateway": gateway}
    for position, name in enumerate(("public a", "public b", "private a", "private b")):
        zone = f"{REGION}{name[-1]}"
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{position}.0/24", AvailabilityZone=zone)["Subnet"]
        account.ids[name] = subnet["SubnetId"]
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=account.ids["public a"], AllocationId=address)["NatGateway"]["NatGatewayId"]
    account.ids["nat gateway"] = nat
    for kind, target in (("public", {"GatewayId": gateway}), ("private", {"NatGatewayId": nat})):
        table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
        ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", **target)
        for zone in "ab":
            ec2.associate_route_table(RouteTableId=table, SubnetId=account.ids[f"{kind} {zone}"])
        account.ids[f"{kind} routes"] = table
    account.values |= {
        "vpcId": vpc,
        "publicSubnetIds": [account.ids["public a"], account.ids["public b"]],
        "privateSubnetIds": [account.ids["private a"], account.ids["private b"]],
        "vpcEndpoints": ["ecr.api", "ecr.dkr", "s3", "secretsmanager", "logs"],
    }


def _certificate(account: Account) -> None:
    certificate = account.client("acm").request_certificate(DomainName="*.example.com", ValidationMethod="DNS")
    zone = account.client("route53").create_hosted_zone(Name="example.com", CallerReference="preflight")
    account.values |= {
        "acmCertificateArn": certificate["CertificateArn"],
        "hostedZoneId": zone["HostedZone"]["Id"].rsplit("/", 1)[-1],
    }


def _state(account: Account) -> None:
    s3 = account.client("s3")
    s3.create_bucket(Bucket="tf-state", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_versioning(Bucket="tf-state", VersioningConfiguration={"Status": "Enabled"})
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    s3.put_bucket_encryption(Bucket="tf-state", ServerSideEncryptionConfiguration={"Rules": [rule]})
    account.client("dynamodb").create_table(
        TableName="tf-lock",
        KeySchema=[{"AttributeName": "LockID", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "LockID", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    arn = f"arn:aws:iam::{ACCOUNT}:policy/boundary"
    own = OwnStack(
        names=account.names,
        secret_arns=[],
        deployer_arns=[],
        permissions_boundary_arn=arn,
        security_group_ids=[],
        subnet_ids=[*account.values["publicSubnetIds"], *account.values["privateSubnetIds"]],
    )
    statements = statements_for_any_role(own)
    # Whatever suffix Secrets Manager gives them.
    statements[1]["Resource"].append(account.names.arn("secretsmanager", "secret:prod-atlantis-*"))
    account.client("iam").create_policy(PolicyName="boundary", PolicyDocument=policy(*statements))
    account.values |= {
        "terraformStateBuckets": ["tf-state"],
        "terraformLockTables": ["tf-lock"],
        "managedNamePrefixes": ["fileflow-", "atlantis-"],
        "permissionsBoundaryArn": arn,
    }


def _web_acl(account: Account) -> None:
    seen = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": "atlantis"}
    web_acl = account.client("wafv2").create_web_acl(
        Name="atlantis", Scope="REGIONAL", DefaultAction={"Allow": {}}, VisibilityConfig=seen
    )
    account.values |= {"webAclArn": web_acl["Summary"]["ARN"]}
    account.ids["web ACL"] = web_acl["Summary"]["Id"]


def _alarms(account: Account) -> None:
    topic = account.client("sns").create_topic(Name="on-call")["TopicArn"]
    queue = f"arn:aws:sqs:{REGION}:{ACCOUNT}:on-call"
    account.client("sqs").create_queue(QueueName="on-call")
    account.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
    account.values |= {"alarmTopicArns": [topic]}
