"""Refused settings of the task, of what Terraform may do and of the locking database."""

from tests.unit.bad_settings.messages import (
    BOUNDARY,
    BUCKET,
    ENVIRONMENT,
    PREFIX,
    STATE_KEY,
    TABLE,
    TAG,
    TOPIC,
    UUID,
    WEB_ACL,
    Case,
)
from tests.unit.recording import ACCOUNT

TASK: list[Case] = [
    ({"environment": "Prod"}, ("environment = 'Prod'", ENVIRONMENT)),
    (
        {"environment": "production-europe"},
        ("environment = 'production-europe'", "a target group's name has at most 32 characters"),
    ),
    ({"environment": "prod-"}, ("environment = 'prod-'", ENVIRONMENT)),
    ({"baseName": "Atlantis"}, ("baseName = 'Atlantis'", "1 to 23 lowercase letters")),
    ({"baseName": "internal-atlantis"}, ("baseName = 'internal-atlantis'", "1 to 23 lowercase letters")),
    (
        {"baseName": "internal-atlantis"},
        ("baseName = 'internal-atlantis'", "but not with internal-, which AWS reserves"),
    ),
    ({"logGroupName": "aws/ecs/atlantis"}, ("logGroupName = 'aws/ecs/atlantis'", "but not beginning with aws/")),
    ({"imageTag": "LATEST"}, ("imageTag = 'LATEST'", "must not be `latest`")),
    (
        {"image": "ghcr.io/runatlantis/atlantis:Latest"},
        ("image = 'ghcr.io/runatlantis/atlantis:Latest'", "must not be `latest`"),
    ),
    ({"logGroupName": "/aws/ecs/two words"}, ("logGroupName = '/aws/ecs/two words'", "1 to 512 letters")),
    ({"environment": 7}, ("environment = 7", ENVIRONMENT)),
    ({"cpu": 300}, ("cpu = 300", "must be one of 256, 512, 1024, 2048, 4096, 8192, 16384")),
    ({"cpu": "two"}, ("cpu = 'two'", "must be one of 256")),
    ({"cpu": "٢٠٤٨"}, ("cpu = '٢٠٤٨'", "must be one of 256")),
    ({"memory": 100}, ("memory = 100", "must be an integer from 512 to 122880")),
    ({"cpu": 256, "memory": 4096}, ("cpu = 256, memory = 4096", "for 256 CPU units, Fargate supports 512 to 2048 MiB")),
    ({"memory": 4097}, ("cpu = 2048, memory = 4097", "4096 to 16384 MiB, in steps of 1024")),
    ({"desiredCount": 2}, ("desiredCount = 2", "must be an integer from 0 to 1")),
    ({"desiredCount": True}, ("desiredCount = True", "must be an integer from 0 to 1")),
    ({"containerPort": 443}, ("containerPort = 443", "must be an integer from 1024 to 65535")),
    ({"containerPort": 70000}, ("containerPort = 70000", "must be an integer from 1024 to 65535")),
    ({"containerPort": 4141.5}, ("containerPort = 4141.5", "must be an integer")),
    ({"logRetentionDays": 8}, ("logRetentionDays = 8", "must be one of 1, 3, 5, 7, 14, 30")),
    ({"webAclArn": "platform"}, ("webAclArn = 'platform'", WEB_ACL)),
    (
        {"webAclArn": f"arn:aws:wafv2:us-east-1:{ACCOUNT}:global/webacl/platform/{UUID}"},
        ("webAclArn = 'arn:aws:wafv2:us-east-1", WEB_ACL),
    ),
    (
        {"webAclArn": f"arn:aws:wafv2:us-east-1:{ACCOUNT}:regional/webacl/platform/{UUID}"},
        ("webAclArn = 'arn:aws:wafv2:us-east-1", "must be in the stack's region, ap-northeast-2, not in us-east-1"),
    ),
    ({"logArchiveDays": -1}, ("logArchiveDays = -1", "must be an integer from 0 to 3650")),
    (
        {"logArchiveDays": 30, "logRetentionDays": 30},
        ("logArchiveDays = 30, logRetentionDays = 30", "logArchiveDays must be greater than logRetentionDays"),
    ),
    ({"alarmTopicArns": ["on-call"]}, ("item 1 ('on-call')", TOPIC)),
    ({"alarmTopicArns": [f"arn:aws:sqs:ap-northeast-2:{ACCOUNT}:on-call"]}, ("item 1 ('arn:aws:sqs", TOPIC)),
    ({"alarmTopicArns": [f"arn:aws:sns:ap-northeast-2:{ACCOUNT}:on-call.fifo"]}, ("on-call.fifo", TOPIC)),
    (
        {"alarmTopicArns": [f"arn:aws:sns:us-east-1:{ACCOUNT}:on-call"]},
        ("alarmTopicArns = 'arn:aws:sns:us-east-1", "must be in the stack's region, ap-northeast-2, not in us-east-1"),
    ),
    (
        {"alarmTopicArns": [f"arn:aws:sns:ap-northeast-2:{ACCOUNT}:on-call-{number}" for number in range(6)]},
        ("must have at most 5 items, not 6",),
    ),
    ({"posixUid": 0}, ("posixUid = 0", "must be an integer from 1 to 65534")),
    ({"posixGid": -1}, ("posixGid = -1", "must be an integer from 1 to 65534")),
    ({"cpuArchitecture": "arm64"}, ("cpuArchitecture = 'arm64'", "must be one of X86_64, ARM64")),
    ({"capacityProvider": "EC2"}, ("capacityProvider = 'EC2'", "must be one of FARGATE, FARGATE_SPOT")),
    ({"efsEncryptionKey": "none"}, ("efsEncryptionKey = 'none'", "must be one of customer, aws")),
    ({"efsRootDirectory": "atlantis"}, ("efsRootDirectory = 'atlantis'", "must be a directory of the file system")),
    *(
        ({"efsRootDirectory": path}, ("efsRootDirectory = ", "must be a directory of the file system"))
        for path in ("/a/../x", "/..", "/a/.")
    ),
    ({"efsRootDirectory": "/a/b/c/d/e"}, ("efsRootDirectory = '/a/b/c/d/e'", "with at most four levels")),
    ({"deletionProtection": 1}, ("deletionProtection = 1", "must be true or false")),
]

PERMISSIONS: list[Case] = [
    (
        {"permissionsBoundaryArn": "arn:aws:iam::aws:policy/AdministratorAccess"},
        (
            "permissionsBoundaryArn = 'arn:aws:iam::aws:policy/AdministratorAccess'",
            "not AdministratorAccess, which limits nothing",
        ),
    ),
    (
        {"permissionsBoundaryArn": "arn:aws:iam::999999999999:policy/boundary"},
        ("permissionsBoundaryArn", f"must be in the account of the other ARNs, {ACCOUNT}, not in 999999999999"),
    ),
    ({"terraformStateBuckets": ["State"]}, ("item 1 ('State')", BUCKET)),
    ({"terraformStateBuckets": ["192.168.5.4"]}, ("item 1 ('192.168.5.4')", BUCKET)),
    ({"terraformStateBuckets": ["*"]}, ("item 1 ('*')", BUCKET)),
    ({"terraformStateBuckets": [f"bucket-{number}" for number in range(11)]}, ("must have at most 10 items, not 11",)),
    ({"terraformStateKeyArns": ["alias/state"]}, ("item 1 ('alias/state')", STATE_KEY)),
    (
        {"terraformStateKeyArns": [f"arn:aws:kms:ap-northeast-2:{ACCOUNT}:alias/state"]},
        ("item 1 ('arn:aws:kms", STATE_KEY),
    ),
    (
        {"terraformStateKeyArns": [f"arn:aws:s3:ap-northeast-2:{ACCOUNT}:key/{UUID}"]},
        ("item 1 ('arn:aws:s3", STATE_KEY),
    ),
    (
        {"terraformStateKeyArns": [f"arn:aws:kms:ap-northeast-2:{ACCOUNT}:key/{UUID}"]},
        ("terraformStateKeyArns: also requires terraformStateBuckets", "the buckets"),
    ),
    ({"terraformLockTables": ["*"]}, ("item 1 ('*')", TABLE)),
    ({"terraformLockTables": ["t" * 256]}, ("terraformLockTables = ", TABLE)),
    ({"managedNamePrefixes": ["*"]}, ("item 1 ('*')", PREFIX)),
    ({"managedNamePrefixes": ["fileflow"]}, ("item 1 ('fileflow')", PREFIX)),
    ({"managedNamePrefixes": ["파일흐름-"]}, ("item 1 ('파일흐름-')", PREFIX)),
    (
        {"managedNamePrefixes": ["aws-service-"]},
        ("managedNamePrefixes = 'aws-service-'", "names of roles that AWS reserves"),
    ),
    ({"managedNamePrefixes": [f"team{number}-" for number in range(6)]}, ("must have at most 5 items, not 6",)),
    ({"permissionsBoundaryArn": "boundary"}, ("permissionsBoundaryArn = 'boundary'", BOUNDARY)),
    ({"permissionsBoundaryArn": f"arn:aws:iam::{ACCOUNT}:role/x"}, ("permissionsBoundaryArn = 'arn:aws:iam", BOUNDARY)),
    ({"team": "a" * 257}, ("team = 'aaa", TAG)),
    ({"owner": "<owner>"}, ("owner = '<owner>'", TAG)),
    ({"costCenter": ["a"]}, ("costCenter = ['a']", TAG)),
    ({"dataClass": "secret"}, ("dataClass = 'secret'", "must be one of public, internal, confidential, restricted")),
]

LOCKING: list[Case] = [
    ({"lockingDatabase": "etcd"}, ("lockingDatabase = 'etcd'", "must be one of boltdb, redis")),
    (
        {"lockingDatabase": "redis", "lockingNodeType": "cache.t1.micro"},
        ("lockingNodeType = 'cache.t1.micro'", "that supports encryption and failover"),
    ),
    ({"lockingNodeType": "cache.r7g.large"}, ("lockingNodeType = 'cache.r7g.large'", "requires lockingDatabase redis")),
    ({"lockingPasswordGeneration": 2}, ("lockingPasswordGeneration = 2", "set lockingDatabase to redis")),
    (
        {"lockingDatabase": "redis", "lockingPasswordGeneration": 0},
        ("lockingPasswordGeneration = 0", "must be an integer from 1 to 10000"),
    ),
    (
        {"lockingDatabase": "redis", "environment": "a--b"},
        ("environment = 'a--b'", "must not have two consecutive hyphens, because ElastiCache doesn't accept them"),
    ),
]
