"""Keys in a CloudHSM cluster, and keys that sign."""

import pulumi_aws as aws

store = aws.kms.CustomKeyStore(
    "hardware",
    custom_key_store_name="hardware",
    cloud_hsm_cluster_id="cluster-1a23b4cdefg",
    key_store_password="from-the-vault",
    trust_anchor_certificate="-",
)
aws.kms.Key("hardware", custom_key_store_id=store.id)
aws.kms.Key("signing", key_usage="SIGN_VERIFY", customer_master_key_spec="ECC_NIST_P256")
aws.kms.ExternalKey("imported", description="Imported from the old data centre")
key = aws.kms.Key("data", enable_key_rotation=True, multi_region=True)
aws.dynamodb.Table(
    "data",
    attributes=[{"name": "id", "type": "S"}],
    hash_key="id",
    billing_mode="PAY_PER_REQUEST",
    server_side_encryption={"enabled": True, "kms_key_arn": key.arn},
)
