"""Delivery streams."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from sandbox.providers.aws.base import AwsResource
from sandbox.providers.aws.calls import Call, Tagging
from sandbox.providers.aws.listing import Listing, output
from sandbox.providers.values import Properties

_DESTINATION = {
    "bucketArn": "BucketARN",
    "roleArn": "RoleARN",
    "prefix": "Prefix",
    "errorOutputPrefix": "ErrorOutputPrefix",
    "compressionFormat": "CompressionFormat",
}
_CARRIED_OUT = frozenset({*_DESTINATION, "bufferingInterval", "bufferingSize", "kmsKeyArn"})
_FORMATS = ("UNCOMPRESSED", "GZIP", "ZIP", "Snappy", "HADOOP_SNAPPY")
_KEY_TYPES = ("AWS_OWNED_CMK", "CUSTOMER_MANAGED_CMK")


class DeliveryStream(AwsResource):
    """A stream that is written to directly and delivers to S3, without processing, conversion or backup."""

    sdk_name = "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream"
    service = "firehose"
    operation, made = "CreateDeliveryStream", "DeliveryStreamARN"
    described: ClassVar = Call("describe_delivery_stream", "DeliveryStreamName", "DeliveryStreamDescription")
    deleted: ClassVar = Call("delete_delivery_stream", "DeliveryStreamName")
    tagging: ClassVar = Tagging(
        "DeliveryStreamName", "list_tags_for_delivery_stream", "tag_delivery_stream", "untag_delivery_stream"
    )
    available: ClassVar = ("DeliveryStreamStatus", "active")
    listing: ClassVar = Listing("list_delivery_streams", "DeliveryStreamNames[]", known=output("name"))
    name_limit = 64
    renamed: ClassVar = {"name": "DeliveryStreamName", "arn": "DeliveryStreamARN"}
    handled: ClassVar = frozenset({"destination", "extendedS3Configuration", "serverSideEncryption"})
    in_place: ClassVar = frozenset({"extendedS3Configuration", "serverSideEncryption"})
    computed: ClassVar = frozenset({"arn", "destinationId", "versionId"})

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        """Firehose's limits, and what isn't carried out."""
        if inputs.get("destination") != "extended_s3":
            yield "destination", f"{inputs.get('destination')!r} is not carried out; extended_s3 is"
        target = inputs.get("extendedS3Configuration")
        if not isinstance(target, Mapping):
            yield "extendedS3Configuration", "missing: the destination extended_s3 needs it"
            return
        for name in sorted(target.keys() - _CARRIED_OUT):
            yield f"extendedS3Configuration.{name}", "is not carried out"
        size, seconds = target.get("bufferingSize", 5), target.get("bufferingInterval", 300)
        if isinstance(size, int) and not 1 <= size <= 128:
            yield "extendedS3Configuration.bufferingSize", f"{size} is not 1 to 128 (MiB)"
        if isinstance(seconds, int) and not 0 <= seconds <= 900:
            yield "extendedS3Configuration.bufferingInterval", f"{seconds} is not 0 to 900 (seconds)"
        if target.get("compressionFormat", _FORMATS[0]) not in _FORMATS:
            yield "extendedS3Configuration.compressionFormat", f"is not one of {', '.join(_FORMATS)}"
        if "!{" in str(target.get("prefix", "")) and not target.get("errorOutputPrefix"):
            yield "extendedS3Configuration.errorOutputPrefix", "missing: a prefix with expressions needs it"
        yield from self._encryption_rules(inputs.get("serverSideEncryption"))

    def _encryption_rules(self, encryption: Any) -> Iterator[tuple[str, str]]:
        if not isinstance(encryption, Mapping):
            return
        kind = encryption.get("keyType", _KEY_TYPES[0])
        if kind not in _KEY_TYPES:
            yield "serverSideEncryption.keyType", f"{kind!r} is not one of {', '.join(_KEY_TYPES)}"
        if (kind == _KEY_TYPES[1]) != bool(encryption.get("keyArn")):
            yield "serverSideEncryption.keyArn", f"is for {_KEY_TYPES[1]}, which needs it"

    def parameters(self, inputs: Properties) -> dict[str, Any]:
        """Without encryption, which has a call of its own, as in the official provider."""
        return {
            "DeliveryStreamName": inputs["name"],
            "DeliveryStreamType": "DirectPut",
            "ExtendedS3DestinationConfiguration": _destination(inputs),
        }

    def found(self, identity: str) -> Mapping[str, Any]:
        """By name; the id is the ARN."""
        return super().found(_name(identity))

    def tag_target(self, identity: str) -> str:
        return _name(identity)

    def update(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        """Destination and encryption have a call each."""
        found = self.found(identity)
        (destination,) = found["Destinations"]
        wanted = _destination(inputs)
        described = destination["ExtendedS3DestinationDescription"]
        if "extendedS3Configuration" in changed and any(described.get(key) != wanted[key] for key in wanted):
            self.client.update_destination(
                DeliveryStreamName=_name(identity),
                CurrentDeliveryStreamVersionId=found["VersionId"],
                DestinationId=destination["DestinationId"],
                ExtendedS3DestinationUpdate=wanted,
            )
        if "serverSideEncryption" in changed:
            self._encrypt(identity, inputs.get("serverSideEncryption") or {})

    def _encrypt(self, identity: str, wanted: Properties) -> None:
        name, current = _name(identity), self.found(identity).get("DeliveryStreamEncryptionConfiguration") or {}
        if wanted.get("enabled"):
            key = {"KeyARN": wanted["keyArn"]} if wanted.get("keyArn") else {}
            self.client.start_delivery_stream_encryption(
                DeliveryStreamName=name,
                DeliveryStreamEncryptionConfigurationInput={"KeyType": wanted.get("keyType", _KEY_TYPES[0]), **key},
            )
        elif current.get("Status") == "ENABLED":
            self.client.stop_delivery_stream_encryption(DeliveryStreamName=name)

    def describe(self, identity: str, state: Properties) -> Properties | None:
        """With what is unset left out."""
        found = self.found(identity)
        (destination,) = found["Destinations"]
        target = destination["ExtendedS3DestinationDescription"]
        hints = target["BufferingHints"]
        key = target["EncryptionConfiguration"].get("KMSEncryptionConfig", {}).get("AWSKMSKeyARN")
        encryption = found.get("DeliveryStreamEncryptionConfiguration") or {"Status": "DISABLED"}
        return {
            "name": _name(identity),
            "arn": identity,
            "destination": "extended_s3",
            "destinationId": destination["DestinationId"],
            "versionId": found["VersionId"],
            "extendedS3Configuration": {
                **{ours: target[theirs] for ours, theirs in _DESTINATION.items() if target.get(theirs)},
                "bufferingSize": hints["SizeInMBs"],
                "bufferingInterval": hints["IntervalInSeconds"],
                **({"kmsKeyArn": key} if key else {}),
            },
            "serverSideEncryption": {"enabled": True, "keyType": encryption["KeyType"]}
            | ({"keyArn": encryption["KeyARN"]} if "KeyARN" in encryption else {})
            if encryption["Status"] == "ENABLED"
            else None,
            "tags": self.tags_of(identity),
        }

    def remove(self, identity: str, state: Properties) -> None:
        """With what it hasn't delivered."""
        super().remove(_name(identity), state)


def _name(arn: str) -> str:
    return arn.rpartition("/")[2]


def _destination(inputs: Properties) -> dict[str, Any]:
    target = inputs["extendedS3Configuration"]
    key = target.get("kmsKeyArn")
    return {
        **{theirs: target[ours] for ours, theirs in _DESTINATION.items() if target.get(ours) is not None},
        "BufferingHints": {
            "SizeInMBs": target.get("bufferingSize", 5),
            "IntervalInSeconds": target.get("bufferingInterval", 300),
        },
        "EncryptionConfiguration": {"KMSEncryptionConfig": {"AWSKMSKeyARN": key}}
        if key
        else {"NoEncryptionConfig": "NoEncryption"},
    }
