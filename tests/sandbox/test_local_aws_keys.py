"""What the local AWS answers about keys: replicas of imported keys, and the keys that a call names by an alias."""

from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding

from sandbox.testbed.local_aws import LocalAws, clients
from tests.sandbox.limited_role import Role, arn, refused

OTHER_REGION = "eu-west-1"


def _import(keys: Any, key: str) -> None:
    asked = {"WrappingAlgorithm": "RSAES_OAEP_SHA_256", "WrappingKeySpec": "RSA_2048"}
    given = keys.get_parameters_for_import(KeyId=key, **asked)
    public: Any = serialization.load_der_public_key(given["PublicKey"])
    wrapping = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    keys.import_key_material(
        KeyId=key,
        ImportToken=given["ImportToken"],
        EncryptedKeyMaterial=public.encrypt(bytes(32), wrapping),
        ExpirationModel="KEY_MATERIAL_DOES_NOT_EXPIRE",
    )


def test_a_replica_of_an_imported_key_waits_for_the_material_too(aws: LocalAws):
    keys = aws.client("kms")
    external = keys.create_key(Origin="EXTERNAL", MultiRegion=True)["KeyMetadata"]["KeyId"]
    own = keys.create_key(MultiRegion=True)["KeyMetadata"]["KeyId"]
    there = clients.create(
        "kms",
        endpoint_url=aws.endpoint,
        region_name=OTHER_REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    with_material = keys.replicate_key(KeyId=own, ReplicaRegion=OTHER_REGION)["ReplicaKeyMetadata"]
    assert with_material["KeyState"] == "Enabled"
    _import(keys, external)
    created = keys.replicate_key(KeyId=external, ReplicaRegion=OTHER_REGION)["ReplicaKeyMetadata"]
    found = there.describe_key(KeyId=external)["KeyMetadata"]
    assert [(item["KeyState"], item["Enabled"]) for item in (created, found)] == [("PendingImport", False)] * 2
    _import(there, external)
    assert there.describe_key(KeyId=external)["KeyMetadata"]["KeyState"] == "Enabled"


def test_the_deletion_and_the_change_of_an_alias_are_evaluated_on_its_keys(aws: LocalAws, state: Path):
    keys = aws.client("kms")
    first, second = (keys.create_key()["KeyMetadata"]["KeyId"] for _ in range(2))
    alias, resources = arn("kms", "alias/moved"), [arn("kms", f"key/{key}") for key in (first, second)]
    role = Role(aws, state, "alias-owner", {"kms:*Alias": [alias, *resources]})
    role.client("kms").create_alias(AliasName="alias/moved", TargetKeyId=first)
    role.client("kms").update_alias(AliasName="alias/moved", TargetKeyId=second)
    role.client("kms").delete_alias(AliasName="alias/moved")
    assert role.asked() == [
        *(("kms:CreateAlias", asked) for asked in (alias, resources[0])),
        *(("kms:UpdateAlias", asked) for asked in (alias, *resources)),
        *(("kms:DeleteAlias", asked) for asked in (alias, resources[1])),
    ]
    keys.create_alias(AliasName="alias/moved", TargetKeyId=first)
    other = Role(aws, state, "alias-only", {"kms:DeleteAlias": [alias]})
    assert refused(other.client("kms").delete_alias, AliasName="alias/moved")[0] == "AccessDeniedException"
