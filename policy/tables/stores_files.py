"""Data stores: files, disks, databases and caches."""

from typing import Final

from tables.store import ALWAYS, AWS, Store

_PLAIN: Final = "Not encrypted; it can't be encrypted later."
_EBS: Final = "Not encrypted, unless EBS encryption by default is enabled in the Region."
_COPY: Final = (
    "A copy of an encrypted source is encrypted; any other copy isn't, unless EBS encryption by default is enabled."
)

_EBS_PAGE: Final = f"{AWS}ebs/latest/userguide/ebs-encryption.html"
_FSX_PAGE: Final = f"{AWS}fsx/latest/WindowsGuide/encryption-at-rest.html"
_GATEWAY_PAGE: Final = f"{AWS}storagegateway/latest/APIReference/API_CreateNFSFileShare.html"
_RDS_PAGE: Final = f"{AWS}AmazonRDS/latest/UserGuide/Overview.Encryption.html"
_DOCDB_PAGE: Final = f"{AWS}documentdb/latest/developerguide/encryption-at-rest.html"
_NEPTUNE_PAGE: Final = f"{AWS}neptune/latest/userguide/encrypt.html"
_DYNAMODB_PAGE: Final = f"{AWS}amazondynamodb/latest/developerguide/EncryptionAtRest.html"
_CACHE_PAGE: Final = f"{AWS}AmazonElastiCache/latest/dg/at-rest-encryption.html"

_REPLICA: Final = ("replicateSourceDb", "snapshotIdentifier", "restoreToPointInTime")
_RESTORED: Final = ("snapshotIdentifier", "globalClusterIdentifier")
_GLOBAL: Final = ("sourceDbClusterIdentifier",)

FILES: Final[tuple[Store, ...]] = (
    Store(
        *("efs/fileSystem", "efs", _PLAIN, f"{AWS}efs/latest/ug/encryption-at-rest.html"),
        switch="encrypted",
        key="kmsKeyId",
        control="EFS.1",
    ),
    # Policies evaluate EBS rows with the whole stack, because the account's default decides: see encryption_disks.
    Store(
        *("ebs/volume", "ebs", _EBS, _EBS_PAGE),
        switch="encrypted",
        key="kmsKeyId",
        inherits=("snapshotId",),
        control="EC2.3",
    ),
    Store("ebs/snapshotCopy", "ebs", _COPY, _EBS_PAGE, "encrypted", key="kmsKeyId", inherits=("sourceSnapshotId",)),
    Store("ebs/snapshotImport", "ebs", _EBS, _EBS_PAGE, "encrypted", key="kmsKeyId"),
    Store("ec2/amiCopy", "ebs", _COPY, _EBS_PAGE, "encrypted", key="kmsKeyId", inherits=("sourceAmiId",)),
    Store("fsx/lustreFileSystem", "fsx", ALWAYS, _FSX_PAGE, key="kmsKeyId"),
    Store("fsx/windowsFileSystem", "fsx", ALWAYS, _FSX_PAGE, key="kmsKeyId"),
    Store("fsx/ontapFileSystem", "fsx", ALWAYS, _FSX_PAGE, key="kmsKeyId"),
    Store("fsx/openZfsFileSystem", "fsx", ALWAYS, _FSX_PAGE, key="kmsKeyId"),
    Store("fsx/fileCache", "fsx", ALWAYS, _FSX_PAGE, key="kmsKeyId"),
    Store("storagegateway/nfsFileShare", "storagegateway", ALWAYS, _GATEWAY_PAGE, key="kmsKeyArn"),
    Store("storagegateway/smbFileShare", "storagegateway", ALWAYS, _GATEWAY_PAGE, key="kmsKeyArn"),
    Store("storagegateway/cachesIscsiVolume", "storagegateway", ALWAYS, _GATEWAY_PAGE, key="kmsKey"),
    Store(
        *("workspaces/workspace", "workspaces", _PLAIN, f"{AWS}workspaces/latest/adminguide/encrypt-workspaces.html"),
        switch="rootVolumeEncryptionEnabled",
        control="WorkSpaces.1",
    ),
    Store(
        *("workspaces/workspace", "workspaces", _PLAIN, f"{AWS}workspaces/latest/adminguide/encrypt-workspaces.html"),
        switch="userVolumeEncryptionEnabled",
        key="volumeEncryptionKey",
        control="WorkSpaces.2",
    ),
    Store(
        *(
            "drs/replicationConfigurationTemplate",
            "drs",
            "The author must choose.",
            f"{AWS}drs/latest/userguide/individual-replication-settings.html",
        ),
        switch="ebsEncryption",
        satisfied=("DEFAULT", "CUSTOM"),
        key="ebsEncryptionKeyArn",
    ),
    Store("backup/vault", "backup", ALWAYS, f"{AWS}aws-backup/latest/devguide/encryption.html", key="kmsKeyArn"),
)

DATABASES: Final[tuple[Store, ...]] = (
    Store(
        *("rds/instance", "rds", _PLAIN, _RDS_PAGE),
        switch="storageEncrypted",
        key="kmsKeyId",
        inherits=_REPLICA,
        control="RDS.3",
    ),
    Store(
        "rds/cluster",
        "rds",
        "Aurora: encrypted with an AWS owned key since February 18, 2026, which AWS reports as not encrypted; older clusters,"
        " and Multi-AZ clusters of RDS, aren't encrypted.",
        f"{AWS}AmazonRDS/latest/AuroraUserGuide/Overview.Encryption.html",
        switch="storageEncrypted",
        key="kmsKeyId",
        inherits=(*_RESTORED, "restoreToPointInTime", "replicationSourceIdentifier"),
        control="RDS.27",
        advice=True,
    ),
    Store(
        *("rds/globalCluster", "rds", "As its source, or as its clusters.", _RDS_PAGE),
        switch="storageEncrypted",
        inherits=_GLOBAL,
    ),
    Store("rds/snapshotCopy", "rds", "As its source.", _RDS_PAGE, key="kmsKeyId"),
    Store("rds/clusterSnapshotCopy", "rds", "As its source.", _RDS_PAGE, key="kmsKeyId"),
    Store("rds/instanceAutomatedBackupsReplication", "rds", "As its source.", _RDS_PAGE, key="kmsKeyId"),
    Store(
        *("docdb/cluster", "rds", _PLAIN, _DOCDB_PAGE),
        switch="storageEncrypted",
        key="kmsKeyId",
        inherits=(*_RESTORED, "restoreToPointInTime"),
        control="DocumentDB.1",
    ),
    Store("docdb/globalCluster", "rds", _PLAIN, _DOCDB_PAGE, "storageEncrypted", inherits=_GLOBAL),
    Store("docdb/elasticCluster", "rds", ALWAYS, _DOCDB_PAGE, key="kmsKeyId"),
    Store(
        *("neptune/cluster", "rds", _PLAIN, _NEPTUNE_PAGE),
        switch="storageEncrypted",
        key="kmsKeyArn",
        inherits=(*_RESTORED, "replicationSourceIdentifier"),
        control="Neptune.1",
    ),
    Store("neptune/globalCluster", "rds", _PLAIN, _NEPTUNE_PAGE, "storageEncrypted", inherits=_GLOBAL),
    Store("dynamodb/table", "dynamodb", ALWAYS, _DYNAMODB_PAGE, key="serverSideEncryption.kmsKeyArn"),
    Store("dynamodb/tableReplica", "dynamodb", ALWAYS, _DYNAMODB_PAGE, key="kmsKeyArn"),
    Store(
        *("keyspaces/table", "keyspaces", ALWAYS, f"{AWS}keyspaces/latest/devguide/EncryptionAtRest.html"),
        key="encryptionSpecification.kmsKeyIdentifier",
    ),
    Store(
        *(
            "timestreamwrite/database",
            "timestream",
            ALWAYS,
            f"{AWS}timestream/latest/developerguide/EncryptionAtRest.html",
        ),
        key="kmsKeyId",
    ),
    Store("qldb/ledger", "qldb", ALWAYS, f"{AWS}qldb/latest/developerguide/encryption-at-rest.html", key="kmsKey"),
    # Caches
    Store(
        "elasticache/replicationGroup",
        "elasticache",
        "Redis: not encrypted. Valkey: encrypted.",
        _CACHE_PAGE,
        switch="atRestEncryptionEnabled",
        key="kmsKeyId",
        inherits=("globalReplicationGroupId",),
        control="ElastiCache.4",
    ),
    Store("elasticache/serverlessCache", "elasticache", ALWAYS, _CACHE_PAGE, key="kmsKeyId"),
    Store(
        *("memorydb/cluster", "memorydb", ALWAYS, f"{AWS}memorydb/latest/devguide/at-rest-encryption.html"),
        key="kmsKeyArn",
    ),
    Store(
        *("dax/cluster", "dax", _PLAIN, f"{AWS}amazondynamodb/latest/developerguide/DAXEncryptionAtRest.html"),
        switch="serverSideEncryption.enabled",
        control="DynamoDB.3",
    ),
    Store(
        *("appsync/apiCache", "appsync", _PLAIN, f"{AWS}appsync/latest/devguide/enabling-caching.html"),
        switch="atRestEncryptionEnabled",
        control="AppSync.1",
    ),
)
