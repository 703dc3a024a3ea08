"""Delivery streams."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.testbed.providers.aws.base import AwsResource
from sandbox.testbed.providers.aws.calls import input_shape
from sandbox.testbed.providers.aws.mapping import to_api
from sandbox.testbed.providers.resource import names
from sandbox.testbed.providers.values import Properties

_CARRIED_OUT = names(
    "bucketArn roleArn prefix errorOutputPrefix compressionFormat bufferingInterval bufferingSize kmsKeyArn"
)
_KEY_TYPES = ("AWS_OWNED_CMK", "CUSTOMER_MANAGED_CMK")


class DeliveryStream(AwsResource):
    """A Direct PUT stream that delivers to S3, without processing, format conversion or backup."""

    sdk_name = "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream"

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        """Limits of Firehose, and properties that the stand-in doesn't support."""
        yield from super().rules(inputs)
        target = inputs.get("extendedS3Configuration") or {}
        for name in sorted(target.keys() - _CARRIED_OUT):
            yield f"extendedS3Configuration.{name}", "is not carried out"
        if not target:
            yield "extendedS3Configuration", "missing: the destination extended_s3 needs it"
        if "!{" in str(target.get("prefix", "")) and not target.get("errorOutputPrefix"):
            yield "extendedS3Configuration.errorOutputPrefix", "missing: a prefix with expressions needs it"
        encryption = inputs.get("serverSideEncryption") or {}
        if (encryption.get("keyType") == _KEY_TYPES[1]) != bool(encryption.get("keyArn")):
            yield "serverSideEncryption.keyArn", f"is for {_KEY_TYPES[1]}, which needs it"

    def parameters(self, inputs: Properties) -> dict[str, Any]:
        """Without encryption: the official provider enables it with a separate call."""
        destination = {"ExtendedS3DestinationConfiguration": self._destination(inputs)}
        return {"DeliveryStreamName": inputs["name"], "DeliveryStreamType": "DirectPut", **destination}

    def found(self, identity: str, state: Properties) -> dict[str, Any]:
        """The stream, looked up by name; the id is the ARN."""
        return super().found(_name(identity), state)

    def tag_target(self, identity: str) -> str:
        return _name(identity)

    def update(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        """Destination and encryption are updated with separate calls."""
        found, wanted = self.found(identity, {}), self._destination(inputs)
        (destination,) = found["Destinations"]
        described = destination["ExtendedS3DestinationDescription"]
        if "extendedS3Configuration" in changed and any(described.get(key) != wanted[key] for key in wanted):
            self.client.update_destination(
                DeliveryStreamName=_name(identity),
                CurrentDeliveryStreamVersionId=found["VersionId"],
                DestinationId=destination["DestinationId"],
                ExtendedS3DestinationUpdate=wanted,
            )
        if "serverSideEncryption" in changed:
            self._encrypt(identity, found, inputs.get("serverSideEncryption") or {})

    def _destination(self, inputs: Properties) -> dict[str, Any]:
        target = inputs["extendedS3Configuration"]
        shape = input_shape(self.client, self.operation).members["ExtendedS3DestinationConfiguration"]
        size, seconds = target.get("bufferingSize", 5), target.get("bufferingInterval", 300)
        key = target.get("kmsKeyArn")
        return {
            **to_api(target, shape, {}),
            "BufferingHints": {"SizeInMBs": size, "IntervalInSeconds": seconds},
            "EncryptionConfiguration": {"KMSEncryptionConfig": {"AWSKMSKeyARN": key}}
            if key
            else {"NoEncryptionConfig": "NoEncryption"},
        }

    def _encrypt(self, identity: str, found: Mapping[str, Any], wanted: Properties) -> None:
        if wanted.get("enabled"):
            key = {"KeyARN": wanted["keyArn"]} if wanted.get("keyArn") else {}
            self.client.start_delivery_stream_encryption(
                DeliveryStreamName=_name(identity),
                DeliveryStreamEncryptionConfigurationInput={"KeyType": wanted.get("keyType", _KEY_TYPES[0]), **key},
            )
        elif found.get("DeliveryStreamEncryptionConfiguration", {}).get("Status") == "ENABLED":
            self.client.stop_delivery_stream_encryption(DeliveryStreamName=_name(identity))

    def remove(self, identity: str, state: Properties) -> None:
        """Delete the stream, including undelivered records."""
        super().remove(_name(identity), state)


def _name(arn: str) -> str:
    return arn.rpartition("/")[2]
