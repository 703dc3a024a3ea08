"""Buckets; everything about a bucket but its name is a resource of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from sandbox.providers.aws.base import AwsResource, mapped, pairs
from sandbox.providers.aws.listing import Listing
from sandbox.providers.aws.mapping import to_api
from sandbox.providers.aws.session import is_gone
from sandbox.providers.resource import Created
from sandbox.providers.values import Properties


class Bucket(AwsResource):
    """A bucket."""

    sdk_name = "aws:s3/bucket:Bucket"
    service = "s3"
    operation = "CreateBucket"
    listing: ClassVar = Listing("list_buckets", "Buckets[].Name")
    renamed: ClassVar = {"acl": "-"}
    defaults: ClassVar = {"forceDestroy": False}
    handled: ClassVar = frozenset({"tags"})
    write_only: ClassVar = frozenset({"forceDestroy"})
    in_place: ClassVar = write_only
    computed: ClassVar = frozenset({"bucket"})
    name_property = "bucket"
    name_limit = 63

    def create(self, inputs: Properties) -> Created:
        """The id is the name."""
        where = {} if self.backend.region == "us-east-1" else {"LocationConstraint": self.backend.region}
        placed = {"CreateBucketConfiguration": where} if where else {}
        self.client.create_bucket(Bucket=inputs["bucket"], **placed)
        return Created(inputs["bucket"])

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
        del state
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
        self.client.delete_bucket(Bucket=identity)

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
    parameter: ClassVar[str]
    """The parameter of the put call, and the key of the get call's answer, that holds the configuration."""
    answer: ClassVar[str]
    calls: ClassVar[tuple[str, str, str | None]]
    """Put, get, delete."""

    def body(self, inputs: Properties) -> Any:
        """The put call's configuration."""
        api = self.client.meta.service_model.operation_model(self.operation).input_shape.members[self.parameter]
        return to_api({name: value for name, value in inputs.items() if name != "bucket"}, api, self.renamed)

    def found(self, answer: Any) -> Properties:
        """The configuration's properties, from the get call's answer."""
        return self.properties(answer)

    def create(self, inputs: Properties) -> Created:
        """Put it."""
        getattr(self.client, self.calls[0])(Bucket=inputs["bucket"], **{self.parameter: self.body(inputs)})
        return Created(inputs["bucket"])

    def configure(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        """Put it again."""
        del identity
        if changed & self.in_place:
            self.create(inputs)

    def describe(self, identity: str, state: Properties) -> Properties | None:
        """As S3 says."""
        del state
        answer = getattr(self.client, self.calls[1])(Bucket=identity)[self.answer]
        return {"bucket": identity, **self.found(answer)}

    def remove(self, identity: str, state: Properties) -> None:
        """The bucket stays."""
        del state
        if self.calls[2]:
            getattr(self.client, self.calls[2])(Bucket=identity)


_BLOCKS = frozenset({"blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"})


class BucketPublicAccessBlock(_BucketPart):
    """No public access."""

    sdk_name = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
    operation = "PutPublicAccessBlock"
    parameter = answer = "PublicAccessBlockConfiguration"
    calls = ("put_public_access_block", "get_public_access_block", "delete_public_access_block")
    defaults: ClassVar = dict.fromkeys(sorted(_BLOCKS), False)
    handled: ClassVar = _BLOCKS
    in_place: ClassVar = _BLOCKS | {"skipDestroy"}
    write_only: ClassVar = frozenset({"skipDestroy"})


class BucketServerSideEncryptionConfiguration(_BucketPart):
    """Encryption of new objects."""

    sdk_name = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
    operation = "PutBucketEncryption"
    parameter = answer = "ServerSideEncryptionConfiguration"
    calls = ("put_bucket_encryption", "get_bucket_encryption", "delete_bucket_encryption")
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
    calls = (
        "put_bucket_lifecycle_configuration",
        "get_bucket_lifecycle_configuration",
        "delete_bucket_lifecycle",
    )
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
        del state
        answer = self.client.get_bucket_lifecycle_configuration(Bucket=identity)
        return {"bucket": identity, **self.properties({"Rules": answer["Rules"]})}


class BucketOwnershipControls(_BucketPart):
    """Whether ACLs count."""

    sdk_name = "aws:s3/bucketOwnershipControls:BucketOwnershipControls"
    operation = "PutBucketOwnershipControls"
    parameter = answer = "OwnershipControls"
    calls = ("put_bucket_ownership_controls", "get_bucket_ownership_controls", "delete_bucket_ownership_controls")
    handled: ClassVar = frozenset({"rule"})
    in_place: ClassVar = handled
    limits: ClassVar = {"rule": "PutBucketOwnershipControls.OwnershipControls.Rules.*"}

    def body(self, inputs: Properties) -> Any:
        """S3 has a list of one."""
        return {"Rules": [{"ObjectOwnership": inputs["rule"]["objectOwnership"]}]}

    def found(self, answer: Any) -> Properties:
        """The list's one rule."""
        return {"rule": {"objectOwnership": answer["Rules"][0]["ObjectOwnership"]}}


class BucketPolicy(_BucketPart):
    """Who may do what with a bucket."""

    sdk_name = "aws:s3/bucketPolicy:BucketPolicy"
    operation = "PutBucketPolicy"
    parameter = answer = "Policy"
    calls = ("put_bucket_policy", "get_bucket_policy", "delete_bucket_policy")
    in_place: ClassVar = frozenset({"policy"})
    documents: ClassVar = frozenset({"policy"})

    def body(self, inputs: Properties) -> Any:
        """JSON."""
        return inputs["policy"]

    def found(self, answer: Any) -> Properties:
        """JSON."""
        return {"policy": answer}


class BucketVersioning(_BucketPart):
    """Whether a bucket keeps what is overwritten. It can be suspended, never switched off again."""

    sdk_name = "aws:s3/bucketVersioning:BucketVersioning"
    operation = "PutBucketVersioning"
    renamed: ClassVar = {"mfa": "-"}
    parameter = "VersioningConfiguration"
    calls = ("put_bucket_versioning", "get_bucket_versioning", None)
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
        """The answer is the configuration."""
        del state
        answer: Mapping[str, Any] = self.client.get_bucket_versioning(Bucket=identity)
        return {"bucket": identity, "versioningConfiguration": {"status": answer.get("Status", "Disabled")}}

    def remove(self, identity: str, state: Properties) -> None:
        """Suspended."""
        if (state.get("versioningConfiguration") or {}).get("status") == "Enabled":
            self.client.put_bucket_versioning(Bucket=identity, VersioningConfiguration={"Status": "Suspended"})
