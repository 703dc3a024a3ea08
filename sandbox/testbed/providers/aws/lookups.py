"""Functions that look up the account and its resources, except EC2."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, ClassVar

import jmespath

from sandbox.testbed.providers.aws.base import SCHEMAS
from sandbox.testbed.providers.aws.calls import Call, mapped
from sandbox.testbed.providers.aws.mapping import from_api
from sandbox.testbed.providers.aws.rows import ROWS
from sandbox.testbed.providers.resource import Function
from sandbox.testbed.providers.schema import Shape
from sandbox.testbed.providers.values import Properties


class GetRegion(Function[Any]):
    """The provider's region."""

    sdk_name = "aws:index/getRegion:getRegion"

    def call(self, arguments: Properties) -> Properties:
        name = self.backend.region
        shown = {"id": name, "name": name, "region": name, "endpoint": f"ec2.{name}.amazonaws.com"}
        return {**shown, "description": name}


class GetPartition(Function[Any]):
    """The region's partition."""

    sdk_name = "aws:index/getPartition:getPartition"

    def call(self, arguments: Properties) -> Properties:
        partition = self.backend.partition
        suffix = ["amazonaws", "com", *(["cn"] if partition == "aws-cn" else [])]
        names = {"dnsSuffix": ".".join(suffix), "reverseDnsPrefix": ".".join(reversed(suffix))}
        return {"id": partition, "partition": partition, **names}


class Lookup(Function[Any]):
    """Looks up one existing object."""

    service: ClassVar[str] = "ec2"
    described: ClassVar[Call]
    identified: ClassVar[str] = ""
    """The argument whose value `described` receives."""
    reads: ClassVar[tuple[Call, ...]] = ()
    """Calls with the result's id, whose responses are merged into the description."""
    shown: ClassVar[Mapping[str, str]]
    """Paths (JMESPath) of results that the description contains under other names; `id` is required."""
    built: ClassVar[Mapping[str, str]] = {}
    """Results derived from the id and the `aws` session."""
    echoed: ClassVar[Mapping[str, str]] = {}
    """Arguments that are included in the result, and their defaults."""

    def __init_subclass__(cls) -> None:
        """Set the fields of the function's row."""
        for name, value in ROWS.get(cls.__dict__.get("sdk_name", ""), {}).items():
            setattr(cls, name, value)

    @property
    def client(self) -> Any:
        """The service's client."""
        return self.backend.client(self.service)

    def find(self, arguments: Properties) -> Mapping[str, Any]:
        """The description of the object in AWS."""
        if self.identified and not arguments.get(self.identified):
            raise ValueError(f"the stand-in looks the object up by {self.identified}")
        identity = arguments.get(self.identified, "")
        found = self.described(self.client, identity, {})
        if not found:
            raise LookupError(f"no object with {self.identified} {identity!r}")
        return found

    def call(self, arguments: Properties) -> Properties:
        """The description, with the result's property names."""
        found = dict(self.find(arguments))
        identity = jmespath.search(self.shown["id"], found)
        for call in self.reads:
            found |= call(self.client, identity, {})
        names = SCHEMAS[self.sdk_name].outputs
        result = from_api(found, Shape("object", properties={name: Shape("any") for name in names}), {})
        result |= {name: jmespath.search(path, found) for name, path in self.shown.items()}
        result |= {name: pattern.format(id=identity, aws=self.backend) for name, pattern in self.built.items()}
        result |= {name: arguments.get(name, default) for name, default in self.echoed.items()}
        result |= {"tags": mapped(found.get("Tags") or found.get("tags")), "region": self.backend.region}
        dates = {name: value.isoformat() for name, value in result.items() if isinstance(value, datetime.datetime)}
        return {name: value for name, value in {**result, **dates}.items() if name in names}


class GetSecret(Lookup):
    """A secret without its value, looked up by ARN or name."""

    sdk_name = "aws:secretsmanager/getSecret:getSecret"

    def find(self, arguments: Properties) -> Mapping[str, Any]:
        given = [arguments[name] for name in ("arn", "name") if arguments.get(name)]
        if len(given) != 1:
            raise ValueError("exactly one of arn and name must be given")
        secret = self.client.describe_secret(SecretId=given[0])
        if secret.get("DeletedDate"):
            raise LookupError(f"{given[0]} is scheduled for deletion")
        return secret


class GetSecretVersion(Lookup):
    """The value of a secret."""

    sdk_name = "aws:secretsmanager/getSecretVersion:getSecretVersion"

    def find(self, arguments: Properties) -> Mapping[str, Any]:
        chosen = {"VersionId": arguments.get("versionId"), "VersionStage": arguments.get("versionStage")}
        given = {name: value for name, value in chosen.items() if value}
        version = self.client.get_secret_value(SecretId=arguments["secretId"], **given)
        if "SecretString" not in version:
            raise LookupError(f"{arguments['secretId']} holds binary data, which this stand-in doesn't read")
        return version


class GetLoadBalancer(Lookup):
    """A load balancer, looked up by ARN. Its attributes aren't read."""

    sdk_name = "aws:lb/getLoadBalancer:getLoadBalancer"

    def call(self, arguments: Properties) -> Properties:
        found = super().call(arguments)
        return {**found, "arnSuffix": found["arn"].partition("loadbalancer/")[2]}
