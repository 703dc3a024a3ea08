"""Buckets, and their configurations as separate resources."""

from __future__ import annotations

from typing import Any

from sandbox.testbed.providers.aws.base import AwsResource
from sandbox.testbed.providers.aws.calls import mapped, pairs
from sandbox.testbed.providers.aws.session import is_gone
from sandbox.testbed.providers.values import Properties


class Bucket(AwsResource):
    """A bucket. Its tags are set as a whole with a separate call."""

    sdk_name = "aws:s3/bucket:Bucket"

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


class BucketPart(AwsResource):
    """One configuration of a bucket, which is written and read as a whole. The id is the bucket's name."""

    service = "s3"
    named = "{bucket}"

    def __init_subclass__(cls) -> None:
        super().__init_subclass__()
        cls.in_place |= cls.handled


class BucketLifecycleConfiguration(BucketPart):
    """The lifecycle rules of a bucket."""

    sdk_name = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"

    def parameters(self, inputs: Properties) -> dict[str, Any]:
        """S3 requires a filter in every rule; an empty one is allowed."""
        parameters = super().parameters(inputs)
        for rule in parameters["LifecycleConfiguration"]["Rules"]:
            if "Filter" not in rule and "Prefix" not in rule:
                rule["Filter"] = {"Prefix": ""}
        return parameters
