"""Keys and their aliases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, ClassVar

from sandbox.providers.aws.base import SCHEMAS, AwsResource
from sandbox.providers.aws.calls import Call, Tagging
from sandbox.providers.aws.listing import Listing
from sandbox.providers.aws.mapping import from_api
from sandbox.providers.resource import Function
from sandbox.providers.schema import Shape
from sandbox.providers.values import Properties


class Key(AwsResource):
    """A customer key."""

    sdk_name = "aws:kms/key:Key"
    service = "kms"
    operation, made = "CreateKey", "KeyMetadata.KeyId"
    described: ClassVar = Call("describe_key", "KeyId", "KeyMetadata")
    tagging: ClassVar = Tagging("KeyId", "list_resource_tags")
    listing: ClassVar = Listing("list_keys", "Keys[].KeyId")
    renamed: ClassVar = {
        "customerMasterKeySpec": "KeySpec",
        "bypassPolicyLockoutSafetyCheck": "BypassPolicyLockoutSafetyCheck",
    }
    defaults: ClassVar = {
        "bypassPolicyLockoutSafetyCheck": False,
        "customerMasterKeySpec": "SYMMETRIC_DEFAULT",
        "enableKeyRotation": False,
        "isEnabled": True,
        "keyUsage": "ENCRYPT_DECRYPT",
    }
    handled: ClassVar = frozenset({"enableKeyRotation", "rotationPeriodInDays", "isEnabled"})
    limits: ClassVar = {
        "rotationPeriodInDays": "EnableKeyRotation.RotationPeriodInDays",
        "deletionWindowInDays": "ScheduleKeyDeletion.PendingWindowInDays",
    }
    write_only: ClassVar = frozenset({"deletionWindowInDays", "bypassPolicyLockoutSafetyCheck"})
    in_place: ClassVar = handled | write_only | {"policy", "description"}
    computed: ClassVar = frozenset({"description", "multiRegion", "policy", "rotationPeriodInDays"})
    documents: ClassVar = frozenset({"policy"})

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        """A key can't be deleted sooner than in 7 days, or later than in 30."""
        yield from super().rules(inputs)
        window = inputs.get("deletionWindowInDays")
        if isinstance(window, int) and not 7 <= window <= 30:
            yield "deletionWindowInDays", f"{window} is not allowed: 7 to 30"
        if isinstance(inputs.get("policy"), str) and '"kms:PutKeyPolicy"' not in inputs["policy"]:
            yield from self._lockout(inputs)

    def _lockout(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        """KMS refuses a policy after which nobody could change the policy."""
        if inputs.get("bypassPolicyLockoutSafetyCheck"):
            return
        try:
            statements = json.loads(inputs["policy"]).get("Statement", [])
        except (json.JSONDecodeError, AttributeError):
            return
        actions = [
            action
            for s in statements
            for action in ([s["Action"]] if isinstance(s.get("Action"), str) else s.get("Action", []))
        ]
        if not any(action in ("*", "kms:*", "kms:Put*") for action in actions):
            yield "policy", "lets nobody change the key's policy (kms:PutKeyPolicy); KMS refuses to lock itself out"

    def update(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        kms = self.client
        if "isEnabled" in changed:
            (kms.enable_key if inputs.get("isEnabled", True) else kms.disable_key)(KeyId=identity)
        if changed & {"enableKeyRotation", "rotationPeriodInDays"}:
            if inputs.get("enableKeyRotation"):
                kms.enable_key_rotation(KeyId=identity, **self.request(inputs, "EnableKeyRotation"))
            else:
                kms.disable_key_rotation(KeyId=identity)
        if "description" in changed:
            kms.update_key_description(KeyId=identity, Description=inputs.get("description", ""))
        if "policy" in changed and inputs.get("policy"):
            kms.put_key_policy(KeyId=identity, PolicyName="default", Policy=inputs["policy"])

    def describe(self, identity: str, state: Properties) -> Properties | None:
        """A key that waits for its deletion counts as gone."""
        key = self.found(identity)
        if key["KeyState"] in ("PendingDeletion", "PendingReplicaDeletion"):
            return None
        found = self.properties(key, "keyId", "arn")
        found["customerMasterKeySpec"] = key.get("KeySpec", "SYMMETRIC_DEFAULT")
        found["isEnabled"] = key["Enabled"]
        found["policy"] = self.client.get_key_policy(KeyId=identity, PolicyName="default")["Policy"]
        rotation = self.client.get_key_rotation_status(KeyId=identity)
        found["enableKeyRotation"] = rotation["KeyRotationEnabled"]
        found["rotationPeriodInDays"] = rotation.get("RotationPeriodInDays")
        return {**found, "tags": self.tags_of(identity)}

    def remove(self, identity: str, state: Properties) -> None:
        """KMS only schedules it."""
        if self.read(identity, state) is not None:
            days = state.get("deletionWindowInDays") or 30
            self.client.schedule_key_deletion(KeyId=identity, PendingWindowInDays=days)


class Alias(AwsResource):
    """A name for a key."""

    sdk_name = "aws:kms/alias:Alias"
    service = "kms"
    operation, named = "CreateAlias", "{name}"
    deleted: ClassVar = Call("delete_alias", "AliasName")
    listing: ClassVar = Listing("list_aliases", "Aliases[?!starts_with(AliasName, 'alias/aws/')].AliasName")
    renamed: ClassVar = {"name": "AliasName"}
    in_place: ClassVar = frozenset({"targetKeyId"})

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        """KMS' own pattern allows what its documentation does not."""
        name = inputs.get("name", "alias/")
        if not name.startswith("alias/") or name.startswith("alias/aws/"):
            yield "name", f"{name!r} must begin with alias/ and not with alias/aws/"

    def update(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        self.client.update_alias(AliasName=identity, TargetKeyId=inputs["targetKeyId"])

    def describe(self, identity: str, state: Properties) -> Properties | None:
        """KMS can only list aliases."""
        for page in self.client.get_paginator("list_aliases").paginate():
            for alias in page["Aliases"]:
                if alias["AliasName"] == identity:
                    key = alias["TargetKeyId"]
                    arn = self.backend.arn("kms", f"key/{key}")
                    asked = state.get("targetKeyId", "")  # an ARN where the program gave an ARN
                    target = asked if asked in (key, arn) else key
                    return {"name": identity, "arn": alias["AliasArn"], "targetKeyId": target, "targetKeyArn": arn}
        return None


class GetKey(Function[Any]):
    """A key by its id, its ARN, or an alias' name or ARN."""

    sdk_name = "aws:kms/getKey:getKey"

    def call(self, arguments: Properties) -> Properties:
        found = self.backend.client("kms").describe_key(KeyId=arguments["keyId"])["KeyMetadata"]
        shape = Shape("object", properties={name: Shape("any") for name in SCHEMAS[self.sdk_name].outputs})
        shown = from_api({key: value for key, value in found.items() if key != "CreationDate"}, shape, {})
        defaults = {"customKeyStoreId": "", "deletionDate": "", "description": "", "expirationModel": "", "validTo": ""}
        return {
            **defaults,
            **shown,
            "id": found["KeyId"],
            "awsAccountId": found["Arn"].split(":")[4],
            "creationDate": found["CreationDate"].isoformat(),
            "keyId": arguments["keyId"],
            "region": self.backend.region,
        }
