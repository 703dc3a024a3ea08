"""Data stores: warehouses, search, analytics, streams, queues, topics, builds, secrets and logs."""

from typing import Final

from tables.store import ALWAYS, AWS, Store

_PLAIN: Final = "Not encrypted."
_S3: Final = "Encrypted by Amazon S3 (SSE-S3), as every object written since January 5, 2023."
_S3_PAGE: Final = f"{AWS}AmazonS3/latest/userguide/default-encryption-faq.html"
_REDSHIFT_PAGE: Final = f"{AWS}redshift/latest/mgmt/working-with-db-encryption.html"
_SEARCH_PAGE: Final = f"{AWS}opensearch-service/latest/developerguide/encryption-at-rest.html"
_GLUE_PAGE: Final = f"{AWS}glue/latest/dg/encryption-security-configuration.html"
_CATALOG_PAGE: Final = f"{AWS}glue/latest/dg/encrypt-glue-data-catalog.html"
_SAGEMAKER_PAGE: Final = f"{AWS}sagemaker/latest/dg/encryption-at-rest.html"
_LOGS_PAGE: Final = f"{AWS}AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html"
_TRAIL_PAGE: Final = f"{AWS}awscloudtrail/latest/userguide/encrypting-cloudtrail-log-files-with-aws-kms.html"
_CATALOG: Final = "dataCatalogEncryptionSettings"
_GLUE: Final = "encryptionConfiguration"
_RESULTS: Final = "configuration.resultConfiguration.encryptionConfiguration"

ANALYTICS: Final[tuple[Store, ...]] = (
    Store(
        "redshift/cluster",
        "redshift",
        "Encrypted with an AWS owned key since January 10, 2025.",
        _REDSHIFT_PAGE,
        switch="encrypted",
        satisfied="not-off",
        key="kmsKeyId",
        inherits=("snapshotIdentifier",),
    ),
    Store("redshift/snapshotCopyGrant", "redshift", ALWAYS, _REDSHIFT_PAGE, key="kmsKeyId"),
    Store("redshiftserverless/namespace", "redshift", ALWAYS, _REDSHIFT_PAGE, key="kmsKeyId"),
    Store(
        *("opensearch/domain", "opensearch", _PLAIN, _SEARCH_PAGE),
        switch="encryptAtRest.enabled",
        key="encryptAtRest.kmsKeyId",
        control="Opensearch.1",
    ),
    Store(
        *("elasticsearch/domain", "opensearch", _PLAIN, _SEARCH_PAGE),
        switch="encryptAtRest.enabled",
        key="encryptAtRest.kmsKeyId",
        control="ES.1",
    ),
    Store("athena/workgroup", "athena", _S3, _S3_PAGE, key=f"{_RESULTS}.kmsKeyArn", advice=True),
    Store("athena/database", "athena", _S3, _S3_PAGE, key="encryptionConfiguration.kmsKey", advice=True),
    Store(
        *("glue/dataCatalogEncryptionSettings", "glue", _PLAIN, _CATALOG_PAGE),
        switch=f"{_CATALOG}.encryptionAtRest.catalogEncryptionMode",
        satisfied=("SSE-KMS", "SSE-KMS-WITH-SERVICE-ROLE"),
        key=f"{_CATALOG}.encryptionAtRest.sseAwsKmsKeyId",
    ),
    Store(
        *("glue/dataCatalogEncryptionSettings", "glue", _PLAIN, _CATALOG_PAGE),
        switch=f"{_CATALOG}.connectionPasswordEncryption.returnConnectionPasswordEncrypted",
        key=f"{_CATALOG}.connectionPasswordEncryption.awsKmsKeyId",
    ),
    Store(*("glue/securityConfiguration", "glue", _S3, _S3_PAGE), key=f"{_GLUE}.s3Encryption.kmsKeyArn", advice=True),
    Store(
        *("glue/securityConfiguration", "glue", ALWAYS, _LOGS_PAGE),
        key=f"{_GLUE}.cloudwatchEncryption.kmsKeyArn",
        advice=True,
    ),
    Store(
        *("glue/securityConfiguration", "glue", _PLAIN, _GLUE_PAGE),
        switch=f"{_GLUE}.jobBookmarksEncryption.jobBookmarksEncryptionMode",
        satisfied=("CSE-KMS",),
        key=f"{_GLUE}.jobBookmarksEncryption.kmsKeyArn",
    ),
    Store("sagemaker/notebookInstance", "sagemaker", ALWAYS, _SAGEMAKER_PAGE, key="kmsKeyId"),
    Store("sagemaker/endpointConfiguration", "sagemaker", ALWAYS, _SAGEMAKER_PAGE, key="kmsKeyArn"),
    Store("sagemaker/domain", "sagemaker", ALWAYS, _SAGEMAKER_PAGE, key="kmsKeyId"),
    Store(
        *("kendra/index", "kendra", ALWAYS, f"{AWS}kendra/latest/dg/encryption-at-rest.html"),
        key="serverSideEncryptionConfiguration.kmsKeyId",
    ),
)

STREAMS: Final[tuple[Store, ...]] = (
    Store(
        *("kinesis/stream", "kinesis", _PLAIN, f"{AWS}streams/latest/dev/what-is-sse.html"),
        switch="encryptionType",
        satisfied=("KMS",),
        key="kmsKeyId",
        control="Kinesis.1",
    ),
    Store(
        "kinesis/firehoseDeliveryStream",
        "firehose",
        "Not encrypted. With a stream as its source, Firehose stores nothing, and AWS reports its encryption as disabled.",
        f"{AWS}firehose/latest/dev/encryption.html",
        switch="serverSideEncryption.enabled",
        key="serverSideEncryption.keyArn",
        decides=("kinesisSourceConfiguration", "mskSourceConfiguration"),
        control="DataFirehose.1",
    ),
    Store("kinesis/videoStream", "kinesis", ALWAYS, f"{AWS}kinesisvideostreams/latest/dg/how-kms.html", key="kmsKeyId"),
    Store(
        *("msk/cluster", "msk", ALWAYS, f"{AWS}msk/latest/developerguide/msk-encryption.html"),
        key="encryptionInfo.encryptionAtRestKmsKeyArn",
    ),
    Store(
        *("mq/broker", "mq", ALWAYS, f"{AWS}amazon-mq/latest/developer-guide/data-protection-encryption.html"),
        key="encryptionOptions.kmsKeyId",
    ),
    Store(
        "sns/topic",
        "sns",
        "The disks of the service are encrypted; a key adds server-side encryption of messages.",
        f"{AWS}sns/latest/dg/sns-server-side-encryption.html",
        key="kmsMasterKeyId",
        advice=True,
    ),
    Store(
        "sqs/queue",
        "sqs",
        "Encrypted with SSE-SQS since October 2022. With a KMS key, AWS reports SSE-SQS as disabled.",
        f"{AWS}AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-server-side-encryption.html",
        switch="sqsManagedSseEnabled",
        satisfied="not-off",
        key="kmsMasterKeyId",
        decides=("kmsMasterKeyId",),
        control="SQS.1",
    ),
)

OPERATIONS: Final[tuple[Store, ...]] = (
    Store(
        *("codebuild/project", "codebuild", ALWAYS, f"{AWS}codebuild/latest/userguide/security-encryption.html"),
        key="encryptionKey",
    ),
    Store(
        *(
            "codepipeline/pipeline",
            "codepipeline",
            ALWAYS,
            f"{AWS}codepipeline/latest/userguide/S3-artifact-encryption.html",
        ),
        key="artifactStores.encryptionKey.id",
    ),
    Store(
        *("imagebuilder/component", "imagebuilder", ALWAYS, f"{AWS}imagebuilder/latest/userguide/data-protection.html"),
        key="kmsKeyId",
    ),
    Store(
        *("ecr/repository", "ecr", ALWAYS, f"{AWS}AmazonECR/latest/userguide/encryption-at-rest.html"),
        key="encryptionConfigurations.kmsKey",
    ),
    Store(
        "eks/cluster",
        "eks",
        "Kubernetes 1.28 or newer: all API data is encrypted with an AWS owned key, since March 5, 2025. Older versions: secrets"
        " aren't encrypted with a KMS key.",
        f"{AWS}eks/latest/userguide/envelope-encryption.html",
        key="encryptionConfig.provider.keyArn",
        control="EKS.3",
        advice=True,
    ),
    Store(
        "lambda/function", "lambda", ALWAYS, f"{AWS}lambda/latest/dg/security-encryption-at-rest.html", key="kmsKeyArn"
    ),
    Store(
        *("sfn/stateMachine", "stepfunctions", ALWAYS, f"{AWS}step-functions/latest/dg/encryption-at-rest.html"),
        key="encryptionConfiguration.kmsKeyId",
    ),
    Store("mwaa/environment", "mwaa", ALWAYS, f"{AWS}mwaa/latest/userguide/encryption-at-rest.html", key="kmsKey"),
    Store("dms/replicationInstance", "dms", ALWAYS, f"{AWS}dms/latest/userguide/CHAP_Security.html", key="kmsKeyArn"),
    Store(
        *("secretsmanager/secret", "secrets", ALWAYS, f"{AWS}secretsmanager/latest/userguide/security-encryption.html"),
        key="kmsKeyId",
    ),
    Store("cloudwatch/logGroup", "logs", ALWAYS, _LOGS_PAGE, key="kmsKeyId"),
    Store("cloudtrail/trail", "cloudtrail", _S3, _TRAIL_PAGE, key="kmsKeyId", control="CloudTrail.2", advice=True),
    Store("cloudtrail/eventDataStore", "cloudtrail", ALWAYS, _TRAIL_PAGE, key="kmsKeyId"),
)
