"""Buckets, and their configurations as separate resources."""

from __future__ import annotations

from typing import Any, ClassVar

from sandbox.testbed.providers.aws.base import AwsResource
from sandbox.testbed.providers.aws.calls import Call, mapped, pairs
from sandbox.testbed.providers.aws.listing import Listing
from sandbox.testbed.providers.aws.session import is_gone
from sandbox.testbed.providers.resource import Created, names
from sandbox.testbed.providers.values import Properties


class Bucket(AwsResource):
    """A bucket. Its tags are set as a whole with a separate call."""

    sdk_name = "aws:s3/bucket:Bucket"
    service = "s3"
    operation, named = "CreateBucket", "{bucket}"
    described: ClassVar = Call("head_bucket", "Bucket", "ResponseMetadata")
    deleted: ClassVar = Call("delete_bucket", "Bucket")
    listing: ClassVar = Listing("list_buckets", "Buckets[].Name")
    renamed: ClassVar = {"acl": "-"}
    defaults: ClassVar = {"forceDestroy": False}
    handled: ClassVar = names("tags")
    write_only: ClassVar = names("forceDestroy")
    name_property = "bucket"
    name_limit = 63
    built: ClassVar = {
        "arn": "arn:{aws.partition}:s3:::{id}",
        "bucketDomainName": "{id}.s3.amazonaws.com",
        "bucketRegionalDomainName": "{id}.s3.{aws.region}.amazonaws.com",
        "bucketRegion": "{aws.region}",
    }

    def parameters(self, inputs: Properties) -> dict[str, Any]:
        region = self.backend.region
        placed = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        return {"Bucket": inputs["bucket"], **placed}

    def retag(self, identity: str, inputs: Properties) -> None:
        if inputs.get("tags"):
            self.client.put_bucket_tagging(Bucket=identity, Tagging={"TagSet": pairs(inputs["tags"])})
        else:
            self.client.delete_bucket_tagging(Bucket=identity)

    def describe(self, identity: str, state: Properties) -> Properties | None:
        """S3 reports a bucket without tags as an error."""
        found = super().describe(identity, state) or {}
        try:
            return {**found, "tags": mapped(self.client.get_bucket_tagging(Bucket=identity)["TagSet"])}
        except Exception as error:
            if not is_gone(error):
                raise
            return {**found, "tags": {}}

    def remove(self, identity: str, state: Properties) -> None:
        """Objects are deleted only with `forceDestroy`."""
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
    """One configuration of a bucket, which is written and read as a whole. The id is the bucket's name."""

    service = "s3"
    named = "{bucket}"
    parameter: ClassVar[str]
    """The parameter of `operation` that holds the configuration."""

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.in_place |= cls.handled

    def parameters(self, inputs: Properties) -> dict[str, Any]:
        return self.request({"bucket": inputs["bucket"], self.parameter: inputs})


class BucketPublicAccessBlock(_BucketPart):
    """The public access block of a bucket."""

    sdk_name = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
    operation = "PutPublicAccessBlock"
    parameter = "PublicAccessBlockConfiguration"
    described: ClassVar = Call("get_public_access_block", "Bucket", "PublicAccessBlockConfiguration")
    deleted: ClassVar = Call("delete_public_access_block", "Bucket")
    handled: ClassVar = names("blockPublicAcls blockPublicPolicy ignorePublicAcls restrictPublicBuckets")
    defaults: ClassVar = dict.fromkeys(sorted(handled), False)
    write_only: ClassVar = names("skipDestroy")


class BucketServerSideEncryptionConfiguration(_BucketPart):
    """The default encryption of new objects."""

    sdk_name = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    operation = "PutBucketEncryption"
    parameter = "ServerSideEncryptionConfiguration"
    described: ClassVar = Call("get_bucket_encryption", "Bucket", "ServerSideEncryptionConfiguration")
    deleted: ClassVar = Call("delete_bucket_encryption", "Bucket")
    renamed: ClassVar = {"*.kmsMasterKeyId": "KMSMasterKeyID"}
    handled: ClassVar = names("rules")
    limits: ClassVar = {"rules": "PutBucketEncryption.ServerSideEncryptionConfiguration.Rules"}


class BucketLifecycleConfiguration(_BucketPart):
    """The lifecycle rules of a bucket."""

    sdk_name = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
    operation = "PutBucketLifecycleConfiguration"
    parameter = "LifecycleConfiguration"
    described: ClassVar = Call("get_bucket_lifecycle_configuration", "Bucket", "{Rules: Rules}")
    deleted: ClassVar = Call("delete_bucket_lifecycle", "Bucket")
    renamed: ClassVar = {"transitionDefaultMinimumObjectSize": "-"}
    handled: ClassVar = names("rules")
    limits: ClassVar = {"rules": "PutBucketLifecycleConfiguration.LifecycleConfiguration.Rules"}

    def parameters(self, inputs: Properties) -> dict[str, Any]:
        """S3 requires a filter in every rule; an empty one is allowed."""
        parameters = super().parameters(inputs)
        for rule in parameters["LifecycleConfiguration"]["Rules"]:
            if "Filter" not in rule and "Prefix" not in rule:
                rule["Filter"] = {"Prefix": ""}
        return parameters


class BucketOwnershipControls(_BucketPart):
    """The ownership controls of a bucket: whether ACLs are enabled."""

    sdk_name = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
    operation = "PutBucketOwnershipControls"
    parameter = "OwnershipControls"
    described: ClassVar = Call("get_bucket_ownership_controls", "Bucket", "OwnershipControls")
    deleted: ClassVar = Call("delete_bucket_ownership_controls", "Bucket")
    renamed: ClassVar = {"rule": "Rules", "*.rule": "Rules"}
    handled: ClassVar = names("rule")
    limits: ClassVar = {"rule": "PutBucketOwnershipControls.OwnershipControls.Rules"}


class BucketPolicy(_BucketPart):
    """The resource policy of a bucket."""

    sdk_name = "aws:s3/bucketPolicy:BucketPolicy"
    operation = "PutBucketPolicy"
    described: ClassVar = Call("get_bucket_policy", "Bucket")
    deleted: ClassVar = Call("delete_bucket_policy", "Bucket")
    in_place: ClassVar = names("policy")

    def parameters(self, inputs: Properties) -> dict[str, Any]:
        return self.request(inputs)


class BucketVersioning(_BucketPart):
    """The versioning of a bucket. It can be suspended, but not disabled once it was enabled."""

    sdk_name = "aws:s3/bucketVersioning:BucketVersioning"
    operation = "PutBucketVersioning"
    parameter = "VersioningConfiguration"
    described: ClassVar = Call(
        "get_bucket_versioning", "Bucket", "{VersioningConfiguration: {Status: Status || 'Disabled'}}"
    )
    deleted: ClassVar = Call(
        "put_bucket_versioning", "Bucket", more={"VersioningConfiguration": {"Status": "Suspended"}}
    )
    renamed: ClassVar = {"mfa": "-"}
    handled: ClassVar = names("versioningConfiguration")
    choices: ClassVar = {"versioningConfiguration.status": ("Enabled", "Suspended", "Disabled")}

    def create(self, inputs: Properties) -> Created:
        """`Disabled` is the official provider's value for a bucket whose versioning was never enabled."""
        disabled = inputs["versioningConfiguration"]["status"] == "Disabled"
        return Created(inputs["bucket"]) if disabled else super().create(inputs)

    def parameters(self, inputs: Properties) -> dict[str, Any]:
        """The parameters without MFA delete, which only the root user can change."""
        status = inputs["versioningConfiguration"]["status"]
        return {"Bucket": inputs["bucket"], "VersioningConfiguration": {"Status": status}}

    def remove(self, identity: str, state: Properties) -> None:
        """Suspend versioning if it is enabled."""
        if state["versioningConfiguration"]["status"] == "Enabled":
            super().remove(identity, state)
