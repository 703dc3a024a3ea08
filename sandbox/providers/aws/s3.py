"""Buckets; everything about a bucket but its name is a resource of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from sandbox.providers.aws.base import AwsResource
from sandbox.providers.aws.calls import Call, mapped, pairs
from sandbox.providers.aws.listing import Listing
from sandbox.providers.aws.mapping import to_api
from sandbox.providers.aws.session import is_gone
from sandbox.providers.resource import Created
from sandbox.providers.values import Properties


class Bucket(AwsResource):
    """A bucket."""

    sdk_name = "aws:s3/bucket:Bucket"
    service = "s3"
    operation, named = "CreateBucket", "{bucket}"
    deleted: ClassVar = Call("delete_bucket", "Bucket")
    listing: ClassVar = Listing("list_buckets", "Buckets[].Name")
    renamed: ClassVar = {"acl": "-"}
    defaults: ClassVar = {"forceDestroy": False}
    handled: ClassVar = frozenset({"tags"})
    write_only: ClassVar = frozenset({"forceDestroy"})
    in_place: ClassVar = write_only
    computed: ClassVar = frozenset({"bucket"})
    name_property = "bucket"
    name_limit = 63

    def parameters(self, inputs: Properties) -> dict[str, Any]:
        region = self.backend.region
        placed = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        return {"Bucket": inputs["bucket"], **placed}

    def tag_parameter(self, inputs: Properties) -> dict[str, Any]:
        """Tags have a call of their own."""
        return {}

    def configure(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        """Tags are one set that is put as a whole."""
        if "tags" not in changed:
            return
        if inputs.get("tags"):
            self.client.put_bucket_tagging(Bucket=identity, Tagging={"TagSet": pairs(inputs["tags"])})
        else:
            self.client.delete_bucket_tagging(Bucket=identity)

    def describe(self, identity: str, state: Properties) -> Properties | None:
        """Its names; S3 reports no tags as an error."""
        self.client.head_bucket(Bucket=identity)
        try:
            tags = mapped(self.client.get_bucket_tagging(Bucket=identity)["TagSet"])
        except Exception as error:
            if not is_gone(error):
                raise
            tags = {}
        return {
            "bucket": identity,
            "arn": f"arn:{self.backend.partition}:s3:::{identity}",
            "bucketDomainName": f"{identity}.s3.amazonaws.com",
            "bucketRegionalDomainName": f"{identity}.s3.{self.backend.region}.amazonaws.com",
            "bucketRegion": self.backend.region,
            "tags": tags,
        }

    def remove(self, identity: str, state: Properties) -> None:
        """With what is in it only where the program says so."""
        if state.get("forceDestroy"):
            self._empty(identity)
        super().remove(identity, state)

    def _empty(self, identity: str) -> None:
        for page in self.client.get_paginator("list_object_versions").paginate(Bucket=identity):
            objects = [
                {"Key": item["Key"], "VersionId": item["VersionId"]}
                for kind in ("Versions", "DeleteMarkers")
                for item in page.get(kind, [])
            ]
            if objects:
                self.client.delete_objects(Bucket=identity, Delete={"Objects": objects})


class _BucketPart(AwsResource):
    """One configuration of a bucket, put and read as a whole. The id is the bucket's name."""

    service = "s3"
    named = "{bucket}"
    parameter: ClassVar[str]
    """The parameter of `operation`, and the key of the answer of `described`, that holds the configuration."""

    def parameters(self, inputs: Properties) -> dict[str, Any]:
        return {"Bucket": inputs["bucket"], self.parameter: self.body(inputs)}

    def body(self, inputs: Properties) -> Any:
        """The configuration as S3 takes it."""
        api = self.client.meta.service_model.operation_model(self.operation).input_shape.members[self.parameter]
        return to_api({name: value for name, value in inputs.items() if name != "bucket"}, api, self.renamed)

    def shown(self, configuration: Any) -> Properties:
        """The configuration's properties, from S3's answer."""
        return self.properties(configuration)

    def describe(self, identity: str, state: Properties) -> Properties | None:
        return {"bucket": identity, **self.shown(self.found(identity)[self.parameter])}


_BLOCKS = frozenset({"blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"})


class BucketPublicAccessBlock(_BucketPart):
    """No public access."""

    sdk_name = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
    operation = "PutPublicAccessBlock"
    parameter = "PublicAccessBlockConfiguration"
    described: ClassVar = Call("get_public_access_block", "Bucket")
    deleted: ClassVar = Call("delete_public_access_block", "Bucket")
    defaults: ClassVar = dict.fromkeys(sorted(_BLOCKS), False)
    handled: ClassVar = _BLOCKS
    in_place: ClassVar = _BLOCKS | {"skipDestroy"}
    write_only: ClassVar = frozenset({"skipDestroy"})


class BucketServerSideEncryptionConfiguration(_BucketPart):
    """Encryption of new objects."""

    sdk_name = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    operation = "PutBucketEncryption"
    parameter = "ServerSideEncryptionConfiguration"
    described: ClassVar = Call("get_bucket_encryption", "Bucket")
    deleted: ClassVar = Call("delete_bucket_encryption", "Bucket")
    renamed: ClassVar = {"*.kmsMasterKeyId": "KMSMasterKeyID"}
    handled: ClassVar = frozenset({"rules"})
    in_place: ClassVar = handled
    limits: ClassVar = {"rules": "PutBucketEncryption.ServerSideEncryptionConfiguration.Rules"}


class BucketLifecycleConfiguration(_BucketPart):
    """When objects go."""

    sdk_name = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    operation = "PutBucketLifecycleConfiguration"
    renamed: ClassVar = {"transitionDefaultMinimumObjectSize": "-"}
    parameter = "LifecycleConfiguration"
    described: ClassVar = Call("get_bucket_lifecycle_configuration", "Bucket")
    deleted: ClassVar = Call("delete_bucket_lifecycle", "Bucket")
    handled: ClassVar = frozenset({"rules"})
    in_place: ClassVar = handled
    limits: ClassVar = {"rules": "PutBucketLifecycleConfiguration.LifecycleConfiguration.Rules"}

    def body(self, inputs: Properties) -> Any:
        """S3 wants a filter in every rule, if only an empty one."""
        body = super().body(inputs)
        for rule in body["Rules"]:
            if "Filter" not in rule and "Prefix" not in rule:
                rule["Filter"] = {"Prefix": ""}
        return body

    def describe(self, identity: str, state: Properties) -> Properties | None:
        """The answer has the rules at its top."""
        return {"bucket": identity, **self.properties({"Rules": self.found(identity)["Rules"]})}


class BucketOwnershipControls(_BucketPart):
    """Whether ACLs count."""

    sdk_name = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
    operation = "PutBucketOwnershipControls"
    parameter = "OwnershipControls"
    described: ClassVar = Call("get_bucket_ownership_controls", "Bucket")
    deleted: ClassVar = Call("delete_bucket_ownership_controls", "Bucket")
    handled: ClassVar = frozenset({"rule"})
    in_place: ClassVar = handled
    limits: ClassVar = {"rule": "PutBucketOwnershipControls.OwnershipControls.Rules.*"}

    def body(self, inputs: Properties) -> Any:
        """S3 has a list of one."""
        return {"Rules": [{"ObjectOwnership": inputs["rule"]["objectOwnership"]}]}

    def shown(self, configuration: Any) -> Properties:
        return {"rule": {"objectOwnership": configuration["Rules"][0]["ObjectOwnership"]}}


class BucketPolicy(_BucketPart):
    """Who may do what with a bucket."""

    sdk_name = "aws:s3/bucketPolicy:BucketPolicy"
    operation = "PutBucketPolicy"
    parameter = "Policy"
    described: ClassVar = Call("get_bucket_policy", "Bucket")
    deleted: ClassVar = Call("delete_bucket_policy", "Bucket")
    in_place: ClassVar = frozenset({"policy"})
    documents: ClassVar = frozenset({"policy"})

    def body(self, inputs: Properties) -> Any:
        return inputs["policy"]

    def shown(self, configuration: Any) -> Properties:
        return {"policy": configuration}


class BucketVersioning(_BucketPart):
    """Whether a bucket keeps what is overwritten. It can be suspended, never switched off again."""

    sdk_name = "aws:s3/bucketVersioning:BucketVersioning"
    operation = "PutBucketVersioning"
    renamed: ClassVar = {"mfa": "-"}
    parameter = "VersioningConfiguration"
    handled: ClassVar = frozenset({"versioningConfiguration"})
    in_place: ClassVar = handled

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        """Disabled is the provider's word for never enabled."""
        status = (inputs.get("versioningConfiguration") or {}).get("status")
        if isinstance(status, str) and status not in ("Enabled", "Suspended", "Disabled"):
            yield "versioningConfiguration.status", f"{status!r} is not one of Enabled, Suspended, Disabled"

    def create(self, inputs: Properties) -> Created:
        """Disabled is how a bucket begins."""
        if inputs["versioningConfiguration"]["status"] == "Disabled":
            return Created(inputs["bucket"])
        return super().create(inputs)

    def body(self, inputs: Properties) -> Any:
        """Without MFA, which only the root user can switch."""
        return {"Status": inputs["versioningConfiguration"]["status"]}

    def describe(self, identity: str, state: Properties) -> Properties | None:
        answer: Mapping[str, Any] = self.client.get_bucket_versioning(Bucket=identity)
        return {"bucket": identity, "versioningConfiguration": {"status": answer.get("Status", "Disabled")}}

    def remove(self, identity: str, state: Properties) -> None:
        """Suspended."""
        if (state.get("versioningConfiguration") or {}).get("status") == "Enabled":
            self.client.put_bucket_versioning(Bucket=identity, VersioningConfiguration={"Status": "Suspended"})
