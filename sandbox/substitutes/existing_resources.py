"""Substitutes in the local AWS for existing resources that a stack file refers to.

``Pulumi.prod.yaml`` refers to a VPC, subnets, a certificate and other resources in the company's account. The sandbox
creates a substitute for each. The sandbox' copy of the stack file refers to the substitutes.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from sandbox.substitutes import existing_boundary, throwaway_secrets
from sandbox.substitutes.made import made
from sandbox.testbed import console
from sandbox.testbed.files import read_json, write_json
from sandbox.testbed.local_aws.instance import LocalAws
from sandbox.testbed.local_aws.inventory import Inventory

NAMESPACE = "atlantis:"
_REFERENCED = (
    *("additionalPlanPolicyArns", "additionalPolicyArns", "deploymentRoleArn", "extraContainers", "secretReaderArns"),
    "serviceRegistryArn",
)
"""Settings whose ARNs must be of the stack's account or region, and that a preview doesn't read."""
_VPC_RANGE = "10.32.0.0/16"


class ExistingResources:
    """The substitutes of one sandbox. Each is recorded after its creation, so that an interrupted run can continue."""

    def __init__(self, state: Path, aws: LocalAws) -> None:
        self._file = state / "existing-resources.json"
        self._aws = aws
        self._ids: dict[str, str] = read_json(self._file) or {}

    @property
    def ids(self) -> set[str]:
        """IDs of all created resources, in the inventory's form."""
        return set(self._ids.values())

    def forget_lost(self, found: Inventory) -> None:
        """Remove records of substitutes that aren't in the inventory: the local AWS lost them.

        They are created again.
        """
        existing = set().union(*found.values())
        self._ids = {name: each for name, each in self._ids.items() if each in existing}
        write_json(self._file, self._ids)

    def use(self, parts: Mapping[str, str]) -> None:
        """Use parts that exist in the local AWS already, as substitutes: from kind and original to ID, such as `listener <arn>`."""
        self._ids |= parts
        write_json(self._file, self._ids)

    def use_as_public_subnets(self, vpc: str, subnets: Sequence[str]) -> None:
        """Use these substitutes as the public subnets of the substitute of ``vpc`` if the settings name none."""
        self.use({f"subnet {name}": subnet for name, subnet in zip(_unnamed_subnets(vpc), subnets, strict=False)})

    def replace(self, stack: str, settings: Mapping[str, Any]) -> dict[str, Any]:
        """The ``settings`` of ``stack`` (``namespace:key`` to value) with the substitutes' ids."""
        given = {
            key.removeprefix(NAMESPACE): value for key, value in settings.items() if key.startswith(NAMESPACE) and value
        }
        replaced: dict[str, Any] = {}
        if "vpcId" in given:
            replaced |= self._network(given)
        replaced |= self._ingress(given, replaced.get("vpcId", ""))
        if "clusterName" in given:
            self._one("cluster", given["clusterName"], self._made("cluster", name=given["clusterName"]))
        if "logKeyArn" in given:
            replaced["logKeyArn"] = self._key_arn(self._one("key of the logs", given["logKeyArn"], self._made("key")))
        if "permissionsBoundaryArn" in given:
            arn, environment = given["permissionsBoundaryArn"], given.get("environment") or stack
            subnets = [*replaced.get("publicSubnetIds", []), *replaced.get("privateSubnetIds", [])]
            make = partial(existing_boundary.boundary, self._aws, arn, environment, subnets)
            replaced["permissionsBoundaryArn"] = self._one("permissions boundary", arn, make)
        for key in _REFERENCED:
            if key in given:
                replaced[key] = self._moved(given[key])
        self._secrets(given)
        keys = [self._one("state key", arn, self._made("key")) for arn in given.get("terraformStateKeyArns", [])]
        if keys:
            replaced["terraformStateKeyArns"] = [self._key_arn(key) for key in keys]
        for bucket in given.get("terraformStateBuckets", []):
            self._one("state bucket", bucket, lambda name=bucket: self._bucket(name, keys))
        for table in given.get("terraformLockTables", []):
            self._one("lock table", table, self._made("lock table", name=table))
        topics = [self._one("topic", arn, partial(self._topic, arn)) for arn in given.get("alarmTopicArns", [])]
        if topics:
            replaced["alarmTopicArns"] = topics
        return {**settings, **{f"{NAMESPACE}{key}": value for key, value in replaced.items()}}

    def sample_subnets(self) -> list[str]:
        """Two subnets for sample repositories. They have a separate VPC: only Atlantis runs in its VPC."""
        vpc = self._part("vpc of", "samples", self._vpc("samples"))
        table = self._part("route table of", "samples", self._made("route table", vpc=vpc))
        return [
            self._part(f"subnet {index} of", "samples", partial(self._subnet, vpc, 64, index, table))
            for index in range(2)
        ]

    def _secrets(self, given: Mapping[str, Any]) -> None:
        """Create substitutes for secrets. They have the names of the originals, so no setting changes."""
        for key, material in (
            ("githubAppSecretName", throwaway_secrets.github_app),
            ("vcsTokenSecretName", partial(throwaway_secrets.of_key, "token")),
            ("webhookSecretName", partial(throwaway_secrets.of_key, "webhook_secret")),
            ("oidcClientSecretName", partial(throwaway_secrets.of_key, "client_secret")),
        ):
            if key in given:
                self._one("secret", given[key], partial(self._secret, given[key], material))
        references = [*given.get("secretEnvironment", []), *given.get("serverSecrets", [])]
        for name, value in throwaway_secrets.named(references).items():
            self._one("secret", name, self._made("secret", name=name, value=value))
        for name, value in throwaway_secrets.parameters(references).items():
            self._one("parameter", name, self._made("parameter", name=name, value=value))

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
            self._ids[f"{kind} {original}"] = make()
            write_json(self._file, self._ids)
        return self._ids[f"{kind} {original}"]

    def _has(self, kind: str, original: str) -> bool:
        return f"{kind} {original}" in self._ids

    def _network(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """A VPC with internet access: public subnets use an internet gateway, private subnets a NAT gateway."""
        original = given["vpcId"]
        vpc = self._one("vpc", original, self._vpc(original))
        gateway = self._part("internet gateway of", original, self._made("internet gateway", vpc=vpc))
        table = self._part(
            "public route table of", original, self._made("public route table", vpc=vpc, gateway=gateway)
        )
        public = self._subnets(vpc, _public_subnets(given), first=0, table=table)
        if public:
            address = self._part("address of", original, self._made("address"))
            nat = self._part("NAT gateway of", original, self._made("NAT gateway", subnet=public[0], address=address))
            table = self._part(
                "private route table of", original, self._made("private route table", vpc=vpc, gateway=nat)
            )
        replaced = {"vpcId": vpc, "privateSubnetIds": [], "publicSubnetIds": public}
        for key in ("privateSubnetIds", "planWorkerSubnetIds", "applyWorkerSubnetIds"):
            replaced[key] = self._subnets(vpc, given.get(key, []), first=128, table=table)
        return {key: value for key, value in replaced.items() if key == "privateSubnetIds" or given.get(key)}

    def _ingress(self, given: Mapping[str, Any], vpc: str) -> dict[str, Any]:
        replaced: dict[str, Any] = {}
        if "hostedZoneId" in given:
            zone, domain = given["hostedZoneId"], throwaway_secrets.host(given["url"]).partition(".")[2]
            replaced["hostedZoneId"] = self._one(
                "hosted zone",
                zone,
                lambda: made(self._aws, "hosted zone", name=zone, domain=domain).rpartition("/")[2],
            )
        if "acmCertificateArn" in given:
            replaced["acmCertificateArn"] = self._one(
                "certificate", given["acmCertificateArn"], self._certificate(given)
            )
        if "webAclArn" in given:
            arn = given["webAclArn"]
            replaced["webAclArn"] = self._one("web ACL", arn, self._made("web ACL", name=arn.split("/")[2]))
        if "httpsListenerArn" in given:
            replaced |= self._listener(given, vpc)
        return replaced

    def _certificate(self, given: Mapping[str, Any]) -> Callable[[], str]:
        return self._made("certificate", host=throwaway_secrets.host(given["url"]))

    def _listener(self, given: Mapping[str, Any], vpc: str) -> dict[str, str]:
        """A listener of a load balancer that others use too, and the security group that the settings name."""
        arn, group_id = given["httpsListenerArn"], given.get("loadBalancerSecurityGroupId", "")
        group = self._one("security group", group_id, self._made("security group", name=group_id, vpc=vpc))
        if self._has("listener", arn) and not self._has("load balancer of", arn):
            return {"httpsListenerArn": self._ids[f"listener {arn}"], "loadBalancerSecurityGroupId": group}  # by `use`
        subnets = [self._ids[f"subnet {name}"] for name in _public_subnets(given)]
        make = self._made("load balancer", name=arn.split("/")[2], subnets=subnets, group=group)
        balancer = self._part("load balancer of", arn, make)
        certificate = self._part("certificate of", arn, self._certificate(given))
        listener = self._one("listener", arn, self._made("listener", balancer=balancer, certificate=certificate))
        self._part("rule of", arn, self._made("listener rule", listener=listener))
        self._part("rule of", group_id, self._made("open rule", group=group))
        self._part("egress rule of", group_id, partial(self._egress_rule, group))
        return {"httpsListenerArn": listener, "loadBalancerSecurityGroupId": group}

    def _subnets(self, vpc: str, originals: list[str], *, first: int, table: str) -> list[str]:
        return [
            self._one("subnet", original, partial(self._subnet, vpc, first, index, table))
            for index, original in enumerate(originals)
        ]

    def _subnet(self, vpc: str, first: int, index: int, table: str) -> str:
        """Subnet number ``index``, in the first free range from ``first``. Consecutive subnets are in different Availability Zones."""
        ec2 = self._aws.client("ec2")
        zones = [zone["ZoneName"] for zone in ec2.describe_availability_zones()["AvailabilityZones"]]
        # The stack file may have named other subnets before, whose substitutes stay.
        others = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]
        taken = {other["CidrBlock"] for other in others}
        blocks = (f"{_VPC_RANGE.rsplit('.', 2)[0]}.{number}.0/24" for number in range(first + index, 256))
        block = next(block for block in blocks if block not in taken)
        return made(self._aws, "subnet", vpc=vpc, block=block, zone=zones[index % len(zones)], table=table)

    def _egress_rule(self, group: str) -> str:
        """The rule with which EC2 lets a new group send to everywhere; its ID."""
        filters = [{"Name": "group-id", "Values": [group]}]
        rules = self._aws.client("ec2").describe_security_group_rules(Filters=filters)["SecurityGroupRules"]
        return next(rule["SecurityGroupRuleId"] for rule in rules if rule["IsEgress"])

    def _vpc(self, original: str) -> Callable[[], str]:
        return self._made("vpc", name=original, range=_VPC_RANGE)

    def _made(self, kind: str, **values: Any) -> Callable[[], str]:
        return partial(made, self._aws, kind, **values)

    def _secret(self, name: str, material: Callable[[], Mapping[str, str]]) -> str:
        """A secret, whose value is made only with it: a key takes a while."""
        return made(self._aws, "secret", name=name, value=material())

    def _topic(self, arn: str) -> str:
        """A topic with one subscriber: a queue with the same name that stores the messages."""
        name = arn.rpartition(":")[2]
        topic = made(self._aws, "topic", name=name)
        queue = topic.replace(":sns:", ":sqs:")
        self._part("queue of", arn, self._made("queue", name=name, queue=queue, topic=topic))
        made(self._aws, "subscription", queue=queue, topic=topic)
        return topic

    def _key_arn(self, key: str) -> str:
        return f"arn:aws:kms:{self._aws.region}:{self._aws.account}:key/{key}"

    def _moved(self, value: Any) -> Any:
        """The value with its ARNs in the local region and account. What they name is only referenced, so it doesn't have to exist."""

        def here(arn: re.Match[str]) -> str:
            return f"{arn[1]}{self._aws.region if arn[2] else ''}:{self._aws.account}:"

        return json.loads(re.sub(r"\b(arn:[\w-]+:[\w-]+:)([\w-]*):\d{12}:", here, json.dumps(value)))

    def _bucket(self, name: str, keys: Sequence[str]) -> str:
        """A bucket with versioning, encrypted with the first of ``keys``, if any."""
        made(self._aws, "bucket", name=name)
        if keys:
            made(self._aws, "bucket's encryption", name=name, key=self._key_arn(keys[0]))
        return name


def _public_subnets(given: Mapping[str, Any]) -> list[str]:
    """The named public subnets. A stack without a load balancer that it creates names none, but its VPC has them."""
    return given.get("publicSubnetIds") or _unnamed_subnets(given["vpcId"])


def _unnamed_subnets(vpc: str) -> list[str]:
    return [f"{number} of {vpc}" for number in (1, 2)]
