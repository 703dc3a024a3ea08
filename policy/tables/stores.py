"""The data stores that encryption evaluates: the property that encrypts each, its key, and the Security Hub control.

Properties are input paths of the aws provider. AWS always encrypts a store without a switch, which is listed for its key.
Sources: the Security Hub control of the row, and the provider's documentation of the property.
"""

from dataclasses import dataclass
from typing import Final, Literal

__all__ = ["KEY_NAMES", "STORES", "Store"]

Satisfied = Literal["on", "not-off", "set"]


@dataclass(frozen=True)
class Store:
    """One type of data store.

    type: the rules' name. name: its name in the key ``customerKeys``. switch: the property that encrypts it, which must be
    true (``on``), not false (``not-off``, if AWS encrypts by default), not empty (``set``), or one of the listed values.
    key: the property with its KMS key. inherits: if one of these properties is set, the encryption is inherited from
    another resource. control: the Security Hub control; empty if there is none.
    """

    type: str
    name: str
    switch: str = ""
    satisfied: Satisfied | tuple[str, ...] = "on"
    key: str = ""
    inherits: tuple[str, ...] = ()
    control: str = ""


_KMS: Final = ("KMS", "aws:kms", "SSE-KMS")
_REPLICA: Final = ("replicateSourceDb", "snapshotIdentifier", "restoreToPointInTime", "s3Import")
_RESTORED: Final = ("snapshotIdentifier", "globalClusterIdentifier")

STORES: Final[tuple[Store, ...]] = (
    # Files and disks
    Store("efs/fileSystem", "efs", "encrypted", key="kmsKeyId", control="EFS.1"),
    Store("ebs/volume", "ebs", "encrypted", key="kmsKeyId", inherits=("snapshotId",), control="EC2.3"),
    Store("ebs/snapshotCopy", "ebs", "encrypted", key="kmsKeyId"),
    Store("ebs/snapshotImport", "ebs", "encrypted", key="kmsKeyId"),
    Store("ec2/amiCopy", "ebs", "encrypted", key="kmsKeyId"),
    Store("fsx/lustreFileSystem", "fsx", key="kmsKeyId"),
    Store("fsx/windowsFileSystem", "fsx", key="kmsKeyId"),
    Store("fsx/ontapFileSystem", "fsx", key="kmsKeyId"),
    Store("fsx/openZfsFileSystem", "fsx", key="kmsKeyId"),
    Store("fsx/fileCache", "fsx", key="kmsKeyId"),
    Store("storagegateway/nfsFileShare", "storagegateway", key="kmsKeyArn"),
    Store("storagegateway/smbFileShare", "storagegateway", key="kmsKeyArn"),
    Store("storagegateway/cachesIscsiVolume", "storagegateway", key="kmsKey"),
    Store("workspaces/workspace", "workspaces", "rootVolumeEncryptionEnabled", control="WorkSpaces.1"),
    Store(
        *("workspaces/workspace", "workspaces", "userVolumeEncryptionEnabled"),
        key="volumeEncryptionKey",
        control="WorkSpaces.2",
    ),
    Store("backup/vault", "backup", key="kmsKeyArn"),
    # Databases
    Store("rds/instance", "rds", "storageEncrypted", key="kmsKeyId", inherits=_REPLICA, control="RDS.3"),
    Store(
        *("rds/cluster", "rds", "storageEncrypted"),
        key="kmsKeyId",
        inherits=(*_RESTORED, "restoreToPointInTime", "replicationSourceIdentifier"),
        control="RDS.27",
    ),
    Store("rds/globalCluster", "rds", "storageEncrypted", inherits=("sourceDbClusterIdentifier",)),
    Store("rds/snapshotCopy", "rds", key="kmsKeyId"),
    Store("rds/clusterSnapshotCopy", "rds", key="kmsKeyId"),
    Store("rds/instanceAutomatedBackupsReplication", "rds", key="kmsKeyId"),
    Store(
        "docdb/cluster",
        "rds",
        "storageEncrypted",
        key="kmsKeyId",
        inherits=(*_RESTORED, "restoreToPointInTime"),
        control="DocumentDB.1",
    ),
    Store("docdb/globalCluster", "rds", "storageEncrypted", inherits=("sourceDbClusterIdentifier",)),
    Store("docdb/elasticCluster", "rds", key="kmsKeyId"),
    Store(
        "neptune/cluster",
        "rds",
        "storageEncrypted",
        key="kmsKeyArn",
        inherits=(*_RESTORED, "replicationSourceIdentifier"),
        control="Neptune.1",
    ),
    Store("neptune/globalCluster", "rds", "storageEncrypted", inherits=("sourceDbClusterIdentifier",)),
    Store("dynamodb/table", "dynamodb", key="serverSideEncryption.kmsKeyArn"),
    Store("dynamodb/tableReplica", "dynamodb", key="kmsKeyArn"),
    Store("keyspaces/table", "keyspaces", key="encryptionSpecification.kmsKeyIdentifier"),
    Store("timestreamwrite/database", "timestream", key="kmsKeyId"),
    Store("qldb/ledger", "qldb", key="kmsKey"),
    # Caches
    Store(
        *("elasticache/replicationGroup", "elasticache", "atRestEncryptionEnabled"),
        key="kmsKeyId",
        inherits=("globalReplicationGroupId",),
        control="ElastiCache.4",
    ),
    Store("elasticache/serverlessCache", "elasticache", key="kmsKeyId"),
    Store("memorydb/cluster", "memorydb", key="kmsKeyArn"),
    Store("dax/cluster", "dax", "serverSideEncryption.enabled", control="DynamoDB.3"),
    Store("appsync/apiCache", "appsync", "atRestEncryptionEnabled", control="AppSync.1"),
    # Warehouses, search and analytics
    Store("redshift/cluster", "redshift", "encrypted", "not-off", key="kmsKeyId", inherits=("snapshotIdentifier",)),
    Store("redshift/snapshotCopyGrant", "redshift", key="kmsKeyId"),
    Store("redshiftserverless/namespace", "redshift", key="kmsKeyId"),
    Store(
        "opensearch/domain", "opensearch", "encryptAtRest.enabled", key="encryptAtRest.kmsKeyId", control="Opensearch.1"
    ),
    Store("elasticsearch/domain", "opensearch", "encryptAtRest.enabled", key="encryptAtRest.kmsKeyId", control="ES.1"),
    Store(
        *("athena/workgroup", "athena"),
        switch="configuration.resultConfiguration.encryptionConfiguration.encryptionOption",
        satisfied="set",
        key="configuration.resultConfiguration.encryptionConfiguration.kmsKeyArn",
        inherits=("configuration.managedQueryResultsConfiguration",),
    ),
    Store(
        "athena/database", "athena", "encryptionConfiguration.encryptionOption", "set", "encryptionConfiguration.kmsKey"
    ),
    Store(
        *("glue/dataCatalogEncryptionSettings", "glue"),
        switch="dataCatalogEncryptionSettings.encryptionAtRest.catalogEncryptionMode",
        satisfied=("SSE-KMS", "SSE-KMS-WITH-SERVICE-ROLE"),
        key="dataCatalogEncryptionSettings.encryptionAtRest.sseAwsKmsKeyId",
    ),
    Store(
        *("glue/dataCatalogEncryptionSettings", "glue"),
        switch="dataCatalogEncryptionSettings.connectionPasswordEncryption.returnConnectionPasswordEncrypted",
        key="dataCatalogEncryptionSettings.connectionPasswordEncryption.awsKmsKeyId",
    ),
    Store(
        *("glue/securityConfiguration", "glue"),
        switch="encryptionConfiguration.s3Encryption.s3EncryptionMode",
        satisfied=("SSE-KMS", "SSE-S3"),
        key="encryptionConfiguration.s3Encryption.kmsKeyArn",
    ),
    Store(
        *("glue/securityConfiguration", "glue"),
        switch="encryptionConfiguration.cloudwatchEncryption.cloudwatchEncryptionMode",
        satisfied=_KMS,
        key="encryptionConfiguration.cloudwatchEncryption.kmsKeyArn",
    ),
    Store(
        *("glue/securityConfiguration", "glue"),
        switch="encryptionConfiguration.jobBookmarksEncryption.jobBookmarksEncryptionMode",
        satisfied=("CSE-KMS",),
        key="encryptionConfiguration.jobBookmarksEncryption.kmsKeyArn",
    ),
    Store("sagemaker/notebookInstance", "sagemaker", key="kmsKeyId"),
    Store("sagemaker/endpointConfiguration", "sagemaker", key="kmsKeyArn"),
    Store("sagemaker/domain", "sagemaker", key="kmsKeyId"),
    Store("kendra/index", "kendra", key="serverSideEncryptionConfiguration.kmsKeyId"),
    # Streams, queues and topics
    Store("kinesis/stream", "kinesis", "encryptionType", ("KMS",), "kmsKeyId", control="Kinesis.1"),
    Store(
        *("kinesis/firehoseDeliveryStream", "firehose", "serverSideEncryption.enabled"),
        key="serverSideEncryption.keyArn",
        inherits=("kinesisSourceConfiguration", "mskSourceConfiguration"),
        control="DataFirehose.1",
    ),
    Store("kinesis/videoStream", "kinesis", key="kmsKeyId"),
    Store("msk/cluster", "msk", key="encryptionInfo.encryptionAtRestKmsKeyArn"),
    Store("mq/broker", "mq", key="encryptionOptions.kmsKeyId"),
    Store("sns/topic", "sns", "kmsMasterKeyId", "set", "kmsMasterKeyId"),
    Store("sqs/queue", "sqs", "sqsManagedSseEnabled", "not-off", "kmsMasterKeyId", ("kmsMasterKeyId",), "SQS.1"),
    # Builds, secrets and logs
    Store("codebuild/project", "codebuild", key="encryptionKey"),
    Store("codepipeline/pipeline", "codepipeline", key="artifactStores.encryptionKey.id"),
    Store("imagebuilder/component", "imagebuilder", key="kmsKeyId"),
    Store("ecr/repository", "ecr", key="encryptionConfigurations.kmsKey"),
    Store(
        "eks/cluster",
        "eks",
        "encryptionConfig.provider.keyArn",
        "set",
        "encryptionConfig.provider.keyArn",
        control="EKS.3",
    ),
    Store("lambda/function", "lambda", key="kmsKeyArn"),
    Store("sfn/stateMachine", "stepfunctions", key="encryptionConfiguration.kmsKeyId"),
    Store("mwaa/environment", "mwaa", key="kmsKey"),
    Store("dms/replicationInstance", "dms", key="kmsKeyArn"),
    Store("secretsmanager/secret", "secrets", key="kmsKeyId"),
    Store("cloudwatch/logGroup", "logs", key="kmsKeyId"),
    Store("cloudtrail/trail", "cloudtrail", "kmsKeyId", "set", "kmsKeyId", control="CloudTrail.2"),
    Store("cloudtrail/eventDataStore", "cloudtrail", key="kmsKeyId"),
)

KEY_NAMES: Final[tuple[str, ...]] = tuple(sorted({store.name for store in STORES if store.key}))
