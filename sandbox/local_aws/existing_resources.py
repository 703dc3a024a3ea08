"""Substitutes in the local AWS for existing resources that a stack file refers to.

``Pulumi.prod.yaml`` refers to a VPC, subnets, a certificate and other resources in the company's account. The sandbox
creates a substitute for each. The sandbox' copy of the stack file refers to the substitutes.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from components.names import PhysicalNames
from sandbox import console
from sandbox.files import read_json, write_json
from sandbox.local_aws import substitute_network, throwaway_secrets
from sandbox.local_aws.instance import ACCOUNT, REGION, LocalAws
from sandbox.local_aws.inventory import Inventory

__all__ = ["ExistingResources"]

NAMESPACE = "atlantis:"


class ExistingResources:
    """The substitutes of one sandbox. Each is recorded after its creation, so that an interrupted run can continue."""

    def __init__(self, state: Path, aws: LocalAws) -> None:
        self._file = state / "existing-resources.json"
        former = state / "twins.json"  # the name of the file in earlier versions
        if former.exists():
            former.rename(self._file)
        self._aws = aws
        self._made: dict[str, str] = read_json(self._file) or {}

    @property
    def ids(self) -> set[str]:
        """IDs of all created resources, in the inventory's form."""
        return set(self._made.values())

    def forget_lost(self, found: Inventory) -> None:
        """Remove records of substitutes that aren't in the inventory: the local AWS lost them.

        They are created again.
        """
        existing = set().union(*found.values())
        self._made = {name: made for name, made in self._made.items() if made in existing}
        write_json(self._file, self._made)

    def replace(self, stack: str, settings: Mapping[str, Any]) -> dict[str, Any]:
        """The ``settings`` of ``stack`` (``namespace:key`` to value) with the substitutes' ids."""
        given = {
            key.removeprefix(NAMESPACE): value for key, value in settings.items() if key.startswith(NAMESPACE) and value
        }
        replaced: dict[str, Any] = {}
        if "vpcId" in given:
            replaced |= self._network(given)
        if "hostedZoneId" in given:
            replaced["hostedZoneId"] = self._one("hosted zone", given["hostedZoneId"], lambda: self._zone(given))
        if "acmCertificateArn" in given:
            arn = given["acmCertificateArn"]
            replaced["acmCertificateArn"] = self._one("certificate", arn, lambda: self._certificate(given))
        if "webAclArn" in given:
            replaced["webAclArn"] = self._one("web ACL", given["webAclArn"], partial(self._web_acl, given["webAclArn"]))
        if "permissionsBoundaryArn" in given:
            arn, environment = given["permissionsBoundaryArn"], given.get("environment") or stack
            subnets = [*replaced.get("publicSubnetIds", []), *replaced.get("privateSubnetIds", [])]
            replaced["permissionsBoundaryArn"] = self._one(
                "permissions boundary", arn, lambda: self._boundary(arn, environment, subnets)
            )
        if "secretReaderArns" in given:
            replaced["secretReaderArns"] = [self._of_this_account(arn) for arn in given["secretReaderArns"]]
        self._secrets(given)
        keys = [self._one("state key", arn, self._key) for arn in given.get("terraformStateKeyArns", [])]
        if keys:
            replaced["terraformStateKeyArns"] = [self._key_arn(key) for key in keys]
        for bucket in given.get("terraformStateBuckets", []):
            self._one("state bucket", bucket, lambda name=bucket: self._bucket(name, keys))
        for table in given.get("terraformLockTables", []):
            self._one("lock table", table, lambda name=table: self._table(name))
        topics = [self._one("topic", arn, partial(self._topic, arn)) for arn in given.get("alarmTopicArns", [])]
        if topics:
            replaced["alarmTopicArns"] = topics
        return {**settings, **{f"{NAMESPACE}{key}": value for key, value in replaced.items()}}

    def sample_subnets(self) -> list[str]:
        """Two subnets for sample repositories. They have a separate VPC: only Atlantis runs in its VPC."""
        ec2 = self._aws.client("ec2")
        vpc = self._part("vpc of", "samples", lambda: substitute_network.vpc(ec2, "samples"))
        table = self._part("route table of", "samples", lambda: substitute_network.route_table(ec2, vpc))
        return [
            self._part(f"subnet {index} of", "samples", partial(substitute_network.subnet, ec2, vpc, 64, index, table))
            for index in range(2)
        ]

    def _secrets(self, given: Mapping[str, Any]) -> None:
        """Create substitutes for secrets. They have the names of the originals, so no setting changes."""
        for key, material in (
            ("githubAppSecretName", throwaway_secrets.github_app),
            ("vcsTokenSecretName", throwaway_secrets.token),
            ("webhookSecretName", throwaway_secrets.webhook),
            ("oidcClientSecretName", throwaway_secrets.oidc_client),
        ):
            if key in given:
                self._one("secret", given[key], lambda name=given[key], value=material: self._secret(name, value()))
        references = [*given.get("secretEnvironment", []), *given.get("serverSecrets", [])]
        for name, value in throwaway_secrets.named(references).items():
            self._one("secret", name, partial(self._secret, name, value))

    def _one(self, kind: str, original: str, make: Callable[[], str]) -> str:
        """The substitute of ``original``. If it isn't recorded, it is created and reported."""
        new = not self._has(kind, original)
        substitute = self._part(kind, original, make)
        if new:
            console.note(f"{kind} {original}: created {substitute} in the local AWS as its substitute")
        return substitute

    def _part(self, kind: str, original: str, make: Callable[[], str]) -> str:
        """A resource that a substitute requires, but the stack file doesn't name.

        It is created once and not reported.
        """
        if not self._has(kind, original):
            self._made[f"{kind} {original}"] = make()
            write_json(self._file, self._made)
        return self._made[f"{kind} {original}"]

    def _has(self, kind: str, original: str) -> bool:
        return f"{kind} {original}" in self._made

    def _network(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """A VPC with internet access: public subnets use an internet gateway, private subnets a NAT gateway."""
        original = given["vpcId"]
        ec2 = self._aws.client("ec2")
        vpc = self._one("vpc", original, lambda: substitute_network.vpc(ec2, original))
        gateway = self._part("internet gateway of", original, lambda: substitute_network.internet_gateway(ec2, vpc))
        table = self._part(
            "public route table of", original, lambda: substitute_network.route_table(ec2, vpc, GatewayId=gateway)
        )
        public = self._subnets(vpc, given.get("publicSubnetIds", []), first=0, table=table)
        if public:
            address = self._part("address of", original, lambda: ec2.allocate_address(Domain="vpc")["AllocationId"])
            nat = self._part(
                "NAT gateway of", original, lambda: substitute_network.nat_gateway(ec2, public[0], address)
            )
            table = self._part(
                "private route table of", original, lambda: substitute_network.route_table(ec2, vpc, NatGatewayId=nat)
            )
        private = self._subnets(vpc, given.get("privateSubnetIds", []), first=128, table=table)
        return {"vpcId": vpc, "publicSubnetIds": public, "privateSubnetIds": private}

    def _subnets(self, vpc: str, originals: list[str], *, first: int, table: str) -> list[str]:
        ec2 = self._aws.client("ec2")
        return [
            self._one("subnet", original, partial(substitute_network.subnet, ec2, vpc, first, index, table))
            for index, original in enumerate(originals)
        ]

    def _zone(self, given: Mapping[str, Any]) -> str:
        domain = throwaway_secrets.host(given["url"]).partition(".")[2]
        created = self._aws.client("route53").create_hosted_zone(Name=domain, CallerReference=given["hostedZoneId"])
        return created["HostedZone"]["Id"].rpartition("/")[2]

    def _certificate(self, given: Mapping[str, Any]) -> str:
        # A requested certificate is issued immediately: the local AWS treats every DNS validation as completed.
        # It doesn't read the domain names of an imported certificate.
        created = self._aws.client("acm").request_certificate(
            DomainName=throwaway_secrets.host(given["url"]), ValidationMethod="DNS"
        )
        return created["CertificateArn"]

    def _web_acl(self, arn: str) -> str:
        seen = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": "substitute"}
        created = self._aws.client("wafv2").create_web_acl(
            Name=arn.split("/")[2], Scope="REGIONAL", DefaultAction={"Allow": {}}, VisibilityConfig=seen
        )
        return created["Summary"]["ARN"]

    def _boundary(self, arn: str, environment: str, subnets: Sequence[str]) -> str:
        """A permissions boundary that protects Atlantis, as an operator's boundary must."""
        # These import Pulumi's SDK, which no other substitute needs.
        from components.permissions.deny_statements import OwnStack  # noqa: PLC0415
        from components.permissions.permissions_boundary import statements_for_any_role  # noqa: PLC0415

        names = PhysicalNames(environment=environment, account=ACCOUNT, region=REGION, partition="aws")
        own = OwnStack(
            names=names,
            secret_arns=[
                names.arn("secretsmanager", f"secret:{name}-??????")
                for name in (names.github_app_secret, names.vcs_token_secret, names.webhook_secret, names.redis_secret)
            ],
            deployer_arns=(),
            permissions_boundary_arn=arn,
            security_group_ids=(),
            subnet_ids=subnets,
        )
        document = {"Version": "2012-10-17", "Statement": statements_for_any_role(own)}
        iam, name = self._aws.client("iam"), arn.rpartition("/")[2]
        with _left_by_a_killed_run("EntityAlreadyExists"):
            iam.create_policy(
                PolicyName=name,
                PolicyDocument=json.dumps(document),
                Description=f"Substitute for {arn} in account {ACCOUNT}",
            )
        return iam.get_policy(PolicyArn=f"arn:aws:iam::{ACCOUNT}:policy/{name}")["Policy"]["Arn"]

    def _secret(self, name: str, value: Mapping[str, str]) -> str:
        secrets_manager = self._aws.client("secretsmanager")
        with _left_by_a_killed_run("ResourceExistsException"):
            secrets_manager.create_secret(Name=name, SecretString=json.dumps(value))
        return secrets_manager.describe_secret(SecretId=name)["ARN"]

    def _topic(self, arn: str) -> str:
        """A topic with one subscriber: a queue with the same name that stores the messages."""
        name = arn.rpartition(":")[2]
        topic = self._aws.client("sns").create_topic(Name=name)["TopicArn"]
        queue = topic.replace(":sns:", ":sqs:")
        self._part("queue of", arn, partial(self._queue, name, queue, topic))
        self._aws.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue)
        return topic

    def _queue(self, name: str, arn: str, topic: str) -> str:
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
        }
        document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self._aws.client("sqs").create_queue(QueueName=name, Attributes={"Policy": document})
        return name

    def _key(self) -> str:
        return self._aws.client("kms").create_key(Description="Substitute for a key of Terraform states")[
            "KeyMetadata"
        ]["KeyId"]

    def _key_arn(self, key: str) -> str:
        return f"arn:aws:kms:{self._aws.region}:{self._aws.account}:key/{key}"

    def _of_this_account(self, arn: str) -> str:
        """The ARN in the local account. Policies match principals by pattern, so the principals don't have to exist."""
        head, _, resource = arn.rpartition(":")
        return f"{head.rpartition(':')[0]}:{self._aws.account}:{resource}"

    def _bucket(self, name: str, keys: Sequence[str]) -> str:
        """A bucket with versioning, encrypted with the first of ``keys``, if any."""
        s3 = self._aws.client("s3")
        with _left_by_a_killed_run("BucketAlreadyOwnedByYou"):
            s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": self._aws.region})
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        if keys:
            default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": self._key_arn(keys[0])}
            rules = [{"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": True}]
            s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": rules})
        return name

    def _table(self, name: str) -> str:
        with _left_by_a_killed_run("ResourceInUseException"):
            self._aws.client("dynamodb").create_table(
                TableName=name,
                AttributeDefinitions=[{"AttributeName": "LockID", "AttributeType": "S"}],
                KeySchema=[{"AttributeName": "LockID", "KeyType": "HASH"}],
                BillingMode="PAY_PER_REQUEST",
            )
        return name


@contextmanager
def _left_by_a_killed_run(taken: str) -> Iterator[None]:
    """Adopt an existing resource of the same name.

    A run was killed before it recorded it, or a user created the secret.
    """
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] != taken:
            raise
