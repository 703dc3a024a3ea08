"""Settings that must be refused: what is changed, and the parts that the message has to have (key, value, what is accepted)."""

from typing import Any

from tests.unit.recording import ACCOUNT, EXISTING_VPC

Case = tuple[dict[str, Any], tuple[str, ...]]

CIDR = "must be a range in CIDR notation, such as 203.0.113.0/24 or 2001:db8::/32"
INTERNET = (
    "opens the server to the internet; list the ranges of the office and the VPN, or set allowPublicAccess to true"
)
CERTIFICATE = "must be an ARN such as arn:aws:acm:ap-northeast-2:123456789012:certificate/<uuid>"
UUID = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
URL = "must be https:// and a host name, such as https://atlantis.example.com, without port or path"
HOST = "must be a host name such as github.com, without scheme, port or path"
ENVIRONMENT = "must be 1 to 14 lowercase letters, digits and inner hyphens, starting with a letter"
VPC_ID = "must be a VPC ID such as vpc-0a1b2c3d4e5f60718"
SUBNET_ID = "must be a subnet ID such as subnet-0a1b2c3d4e5f60718"
IMAGE = "must be registry/repository with a tag or a digest, such as ghcr.io/runatlantis/atlantis:v0.47.1"
BUCKET = "must be the name of an S3 bucket: 3 to 63 lowercase letters, digits, . and -"
STATE_KEY = "must be an ARN such as arn:aws:kms:ap-northeast-2:123456789012:key/<uuid>"
WEB_ACL = "must be an ARN such as arn:aws:wafv2:ap-northeast-2:123456789012:regional/webacl/<name>/<uuid>"
TOPIC = "must be an ARN such as arn:aws:sns:ap-northeast-2:123456789012:alarms (a standard topic)"
TABLE = "must be the name of a DynamoDB table: 3 to 255 letters, digits and _.-"
PREFIX = "must be a prefix of names: 3 to 40 characters, without *, ending with a hyphen"
BOUNDARY = "must be an ARN such as arn:aws:iam::123456789012:policy/boundary"
TAG = "must be a tag value: 1 to 256 letters, digits, spaces and .:/=+@-_"


def vpc(**changes: Any) -> dict[str, Any]:
    return EXISTING_VPC | changes


NETWORK: list[Case] = [
    ({"allowedCidrBlocks": None}, ("allowedCidrBlocks: missing", "must be a list")),
    ({"allowedCidrBlocks": []}, ("allowedCidrBlocks = []", "must have at least 1 item")),
    (
        {"allowedCidrBlocks": "203.0.113.0/24"},
        (
            "allowedCidrBlocks = '203.0.113.0/24'",
            "must be a list; to set its first item",
            "config set --plaintext --path 'atlantis:allowedCidrBlocks[0]'",
        ),
    ),
    ({"allowedCidrBlocks": "{}"}, ("allowedCidrBlocks = '{}'", "must be a list")),
    ({"allowedCidrBlocks": ["203.0.113.0"]}, ("item 1 ('203.0.113.0')", CIDR)),
    ({"allowedCidrBlocks": ["203.0.113.0/33"]}, ("item 1 ('203.0.113.0/33')", CIDR)),
    ({"allowedCidrBlocks": ["203.0.300.0/24"]}, ("item 1 ('203.0.300.0/24')", CIDR)),
    ({"allowedCidrBlocks": ["203.0.113.0/24", "office"]}, ("item 2 ('office')", CIDR)),
    ({"allowedCidrBlocks": [7]}, ("item 1 (7)", CIDR)),
    (
        {"allowedCidrBlocks": ["203.0.113.7/24"]},
        (
            "item 1 ('203.0.113.7/24')",
            "must not have host bits set: use 203.0.113.0/24, the range that contains 203.0.113.7",
        ),
    ),
    ({"allowedCidrBlocks": ["2001:db8::1/32"]}, ("('2001:db8::1/32')", "host bits set: use 2001:db8::/32")),
    (
        {"allowedCidrBlocks": ["203.0.113.0/24", "203.0.113.0/24"]},
        ("allowedCidrBlocks = [", "must not contain duplicates"),
    ),
    ({"allowedCidrBlocks": ["0.0.0.0/0"]}, ("allowedCidrBlocks = ['0.0.0.0/0']", INTERNET)),
    (
        {"allowedCidrBlocks": ["0.0.0.0/1", "128.0.0.0/1"]},
        ("allowedCidrBlocks = ['0.0.0.0/1', '128.0.0.0/1']", INTERNET),
    ),
    ({"allowedCidrBlocks": ["128.0.0.0/1"]}, ("allowedCidrBlocks = ['128.0.0.0/1']", INTERNET)),
    ({"allowedCidrBlocks": ["::/0", "203.0.113.0/24"]}, ("allowedCidrBlocks = ['::/0']", INTERNET)),
    ({"githubWebhookCidrBlocks": ["0.0.0.0/0"]}, ("githubWebhookCidrBlocks = ['0.0.0.0/0']", INTERNET)),
    ({"githubWebhookCidrBlocks": ["192.0.2.1/24"]}, ("item 1 ('192.0.2.1/24')", "host bits set")),
    (
        {"allowedCidrBlocks": ["2001:db8::/32"]},
        ("allowedCidrBlocks = ['2001:db8::/32']", "only IPv6 ranges", "ipAddressType ipv4"),
    ),
    (
        {"allowedCidrBlocks": [f"198.51.100.{host}/32" for host in range(30)]},
        (
            "allowedCidrBlocks, githubWebhookCidrBlocks: require 64 IPv4 rules",
            "whose quota is 60; merge adjacent ranges",
        ),
    ),
    ({"allowedCidrBlocks": [f"198.51.100.{host}/32" for host in range(61)]}, ("must have at most 60 items, not 61",)),
    ({"allowPublicAccess": "yes"}, ("allowPublicAccess = 'yes'", "must be true or false")),
    ({"vpcId": "vpc-1"}, ("vpcId = 'vpc-1'", VPC_ID)),
    ({"vpcId": "subnet-0a1b2c3d4e5f60718"}, ("vpcId = 'subnet-0a1b2c3d4e5f60718'", VPC_ID)),
    (
        {"vpcId": EXISTING_VPC["vpcId"]},
        (
            "vpcId: also requires publicSubnetIds, privateSubnetIds",
            "set all three for an existing VPC, or none for a new one",
        ),
    ),
    (vpc(vpcId=None), ("publicSubnetIds, privateSubnetIds: also requires vpcId", "set all three")),
    (
        vpc(privateSubnetIds=["subnet-00000000000000003"]),
        (
            "privateSubnetIds = ['subnet-00000000000000003']",
            "must list at least two subnets, in different Availability Zones",
        ),
    ),
    (
        vpc(publicSubnetIds=["subnet-00000000000000003", "subnet-00000000000000001"]),
        ("publicSubnetIds, privateSubnetIds: subnet-00000000000000003 is in both", "without a route from the internet"),
    ),
    (
        vpc(publicSubnetIds=["subnet-x", "subnet-00000000000000001"]),
        ("publicSubnetIds", "item 1 ('subnet-x')", SUBNET_ID),
    ),
    ({"vpcCidrBlock": "10.0.0.0/8"}, ("vpcCidrBlock = '10.0.0.0/8'", "must be an IPv4 CIDR block from /16 to /22")),
    ({"vpcCidrBlock": "10.0.0.0/24"}, ("vpcCidrBlock = '10.0.0.0/24'", "must be an IPv4 CIDR block from /16 to /22")),
    ({"vpcCidrBlock": "fd00::/16"}, ("vpcCidrBlock = 'fd00::/16'", "must be an IPv4 CIDR block")),
    (
        {"vpcCidrBlock": "8.8.0.0/16"},
        ("vpcCidrBlock = '8.8.0.0/16'", "must be a private CIDR block, such as 10.64.0.0/16"),
    ),
    ({"vpcEndpoints": ["sqs"]}, ("item 1 ('sqs')", "must be one of ecr.api, ecr.dkr, s3, secretsmanager, logs, auto")),
    ({"vpcEndpoints": ["s3", "auto"]}, ("vpcEndpoints = ['s3', 'auto']", "auto can't be combined with endpoint names")),
    ({"vpcEndpoints": ["s3", "s3"]}, ("vpcEndpoints = ['s3', 's3']", "must not contain duplicates")),
    ({"vpcEndpoints": "[" * 20_000}, ("vpcEndpoints = '[[", "must be a list")),
    ({"ipAddressType": "ipv6"}, ("ipAddressType = 'ipv6'", "must be one of ipv4, dualstack")),
    (
        {"ipAddressType": "dualstack"},
        ("ipAddressType = 'dualstack'", "requires an existing VPC with IPv6 subnets (vpcId)"),
    ),
]

INGRESS: list[Case] = [
    ({"acmCertificateArn": None}, ("acmCertificateArn: missing", "or set hostedZoneId")),
    (
        {"acmCertificateArn": f"arn:aws:iam::{ACCOUNT}:server-certificate/x"},
        ("acmCertificateArn = 'arn:aws:iam", CERTIFICATE),
    ),
    (
        {"acmCertificateArn": f"arn:aws:acm:ap-northeast-2:{ACCOUNT}:certificate/mine"},
        ("certificate/mine'", CERTIFICATE),
    ),
    ({"acmCertificateArn": f"arn:aws:acm:ap-northeast-2::certificate/{UUID}"}, ("acmCertificateArn = ", CERTIFICATE)),
    (
        {"acmCertificateArn": f"arn:aws:acm:us-east-1:{ACCOUNT}:certificate/{UUID}"},
        (
            "acmCertificateArn = 'arn:aws:acm:us-east-1",
            "must be in the stack's region, ap-northeast-2, not in us-east-1",
        ),
    ),
    ({"acmCertificateArn": 7}, ("acmCertificateArn = 7", CERTIFICATE)),
    ({"hostedZoneId": "example.com"}, ("hostedZoneId = 'example.com'", "must be a hosted zone ID such as Z0123")),
    ({"url": None}, ("url: missing", URL)),
    ({"url": "http://atlantis.example.com"}, ("url = 'http://atlantis.example.com'", URL)),
    ({"url": "https://203.0.113.10"}, ("url = 'https://203.0.113.10'", "must have a host name, not an IP address")),
    ({"team": "aws:platform"}, ("team = 'aws:platform'", "without the prefix aws:")),
    (
        {"permissionsBoundaryArn": "arn:aws-cn:iam::123456789012:policy/boundary"},
        ("permissionsBoundaryArn = 'arn:aws-cn", "must be in the partition aws of ap-northeast-2"),
    ),
    (
        {"alarmTopicArns": ["arn:aws-us-gov:sns:ap-northeast-2:123456789012:alarms"]},
        ("alarmTopicArns = 'arn:aws-us-gov", "must be in the partition aws"),
    ),
    (
        {"secretReaderArns": ["arn:aws-cn:iam::123456789012:role/deployer"]},
        ("secretReaderArns = 'arn:aws-cn", "must be in the partition aws"),
    ),
    (
        {"assumableRoleArns": ["arn:aws-cn:iam::210987654321:role/deployer"]},
        ("assumableRoleArns = 'arn:aws-cn", "must be in the partition aws"),
    ),
    (
        {"terraformStateBuckets": ["atlantis-prod-access-logs-123456789012-ap-northeast-2"]},
        ("terraformStateBuckets = 'atlantis-prod-access-logs", "must not be a log bucket of the stack"),
    ),
    ({"url": "atlantis.example.com"}, ("url = 'atlantis.example.com'", URL)),
    ({"url": "https://atlantis.example.com/atlantis"}, ("url = 'https://atlantis.example.com/atlantis'", URL)),
    ({"url": "https://atlantis.example.com:8443"}, ("url = 'https://atlantis.example.com:8443'", URL)),
    ({"url": "https://user@atlantis.example.com"}, ("url = 'https://user@", URL)),
    ({"url": "https://atlantis"}, ("url = 'https://atlantis'", URL)),
    ({"url": "https://[atlantis"}, ("url = 'https://[atlantis'", URL)),
    ({"url": "https://atlantis.exa\nmple.com"}, ("url = ", URL)),
    ({"url": f"https://{'a' * 64}.example.com"}, ("url = 'https://aaa", URL)),
    (
        {"sslPolicy": "ELBSecurityPolicy-2016-08"},
        ("sslPolicy = 'ELBSecurityPolicy-2016-08'", "must be one of ELBSecurityPolicy-TLS13"),
    ),
]

SERVER: list[Case] = [
    ({"repoAllowlist": None}, ("repoAllowlist: missing", "must list repositories")),
    ({"repoAllowlist": "*"}, ("repoAllowlist = '*'", "must have entries in the format host/owner/repository")),
    ({"repoAllowlist": "github.com/*"}, ("repoAllowlist = 'github.com/*'", "must have an owner in each entry")),
    ({"repoAllowlist": "github.com/*/*"}, ("repoAllowlist = 'github.com/*/*'", "must have an owner in each entry")),
    (
        {"repoAllowlist": "https://github.com/ryu-qqq/*"},
        ("must not have a scheme", "use 'github.com/ryu-qqq/*' instead of"),
    ),
    ({"repoAllowlist": "!github.com/ryu-qqq/secret"}, ("must have at least one entry without !",)),
    ({"repoAllowlist": "github.com/ryu-qqq/*,"}, ("repoAllowlist = 'github.com/ryu-qqq/*,'", "not ''")),
    (
        {"repoAllowlist": "gitlab.com/ryu-qqq/*"},
        (
            "repoAllowlist = 'gitlab.com/ryu-qqq/*'",
            "githubHostname = 'github.com': the host of each entry must be githubHostname",
        ),
    ),
    ({"githubHostname": "https://github.com"}, ("githubHostname = 'https://github.com'", HOST)),
    ({"githubHostname": "localhost"}, ("githubHostname = 'localhost'", HOST)),
    (
        {"githubHostname": "github.example.org", "repoAllowlist": "github.example.org/a/*"},
        ("githubHostname = 'github.example.org'", "also requires githubWebhookCidrBlocks"),
    ),
    ({"githubAppSecretName": "a b"}, ("githubAppSecretName = 'a b'", "must be the name of a secret")),
    ({"githubAppSecretName": "비밀"}, ("githubAppSecretName = '비밀'", "must be the name of a secret")),
    ({"webhookSecretName": "s" * 513}, ("webhookSecretName = 'sss", "must be the name of a secret")),
    (
        {"webhookSecretName": "mine", "webhookSecretGeneration": 2},
        ("webhookSecretName, webhookSecretGeneration", "remove one of the two"),
    ),
    ({"webhookSecretGeneration": 0}, ("webhookSecretGeneration = 0", "must be an integer from 1 to 10000")),
    (
        {"secretReaderArns": [f"arn:aws:iam::{ACCOUNT}:policy/x"]},
        ("item 1", "must be an ARN such as arn:aws:iam::123456789012:role"),
    ),
    (
        {"secretReaderArns": None},
        (
            "secretReaderArns: missing; must list the roles or users that deploy the stack",
            "the GitHub App's secret (or set githubAppSecretName), the webhook secret (or set webhookSecretName), the web page's password.",
            "`aws sts get-caller-identity` prints your identity",
        ),
    ),
    (
        {"secretReaderArns": None, "githubAppSecretName": "mine", "webhookSecretName": "mine", "webBasicAuth": False}
        | {"lockingDatabase": "redis"},
        ("secretReaderArns: missing", "the secrets that it creates: the locking database's password."),
    ),
    ({"image": "atlantis"}, ("image = 'atlantis'", IMAGE)),
    ({"image": "ghcr.io/runatlantis/atlantis:latest"}, ("image = 'ghcr.io", "must not be `latest`")),
    (
        {"image": "ghcr.io/runatlantis/atlantis:v0.40.0"},
        ("v0.40.0'", "must be v0.47.1 or newer", "GHSA-rjh2-4xgw-p2hj"),
    ),
    (
        {"image": "registry.example.com/platform/atlantis:v0.47.0-2@sha256:" + 64 * "0"},
        ("image = 'registry", "must be v0.47.1 or newer"),
    ),
    ({"imageTag": "v0.40.0"}, ("imageTag = 'v0.40.0'", "must be v0.47.1 or newer", "such as v0.47.1-1")),
    ({"imageTag": "v0.47.0-1"}, ("imageTag = 'v0.47.0-1'", "must be v0.47.1 or newer")),
    ({"image": "a/b:v1", "imageTag": "v0.48.0"}, ("image = 'a/b:v1', imageTag = 'v0.48.0'", "remove imageTag")),
    ({"imageTag": "latest"}, ("imageTag = 'latest'", "must not be `latest`, because a push would change the image")),
    ({"imageTag": "v1 2"}, ("imageTag = 'v1 2'", "must be an image tag, such as v0.47.1")),
    ({"logLevel": "trace"}, ("logLevel = 'trace'", "must be one of debug, info, warn, error")),
]

TASK: list[Case] = [
    ({"environment": "Prod"}, ("environment = 'Prod'", ENVIRONMENT)),
    (
        {"environment": "production-europe"},
        ("environment = 'production-europe'", "a target group's name has at most 32 characters"),
    ),
    ({"environment": "prod-"}, ("environment = 'prod-'", ENVIRONMENT)),
    ({"baseName": "Atlantis"}, ("baseName = 'Atlantis'", "1 to 23 lowercase letters")),
    ({"baseName": "internal-atlantis"}, ("baseName = 'internal-atlantis'", "1 to 23 lowercase letters")),
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
    ({"efsRootDirectory": "/a/b/c/d/e"}, ("efsRootDirectory = '/a/b/c/d/e'", "with at most four levels")),
    ({"deletionProtection": 1}, ("deletionProtection = 1", "must be true or false")),
]

PERMISSIONS: list[Case] = [
    ({"terraformStateBuckets": ["State"]}, ("item 1 ('State')", BUCKET)),
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
        {"terraformStateBuckets": ["states"], "terraformStateKeyArns": [f"arn:aws:kms:us-east-1:{ACCOUNT}:key/{UUID}"]},
        (
            "terraformStateKeyArns = 'arn:aws:kms:us-east-1",
            "must be in the stack's region, ap-northeast-2, not in us-east-1",
        ),
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

SIGN_IN: list[Case] = [
    ({"planRequirements": ["reviewed"]}, ("planRequirements", "must be one of approved, mergeable, undiverged")),
    ({"webBasicAuth": "maybe"}, ("webBasicAuth = 'maybe'",)),
    (
        {"webBasicAuth": False, "webPasswordGeneration": 2},
        ("webPasswordGeneration = 2", "isn't used if webBasicAuth is false or oidcIssuer is set"),
    ),
    (
        {"oidcIssuer": "http://login.example.com"},
        ("oidcIssuer = 'http://login.example.com'", "must be an https:// URL"),
    ),
    (
        {"oidcIssuer": "https://login.example.com/tenant"},
        (
            "oidcIssuer = 'https://login.example.com/tenant'",
            "also requires oidcAuthorizationEndpoint, oidcTokenEndpoint, oidcUserInfoEndpoint, oidcClientId, oidcClientSecretName",
            "https://login.example.com/tenant/.well-known/openid-configuration",
        ),
    ),
    ({"oidcScope": "openid email"}, ("oidcScope = 'openid email'", "requires oidcIssuer")),
    ({"oidcScope": "email"}, ("oidcScope = 'email'", "that include openid")),
    ({"oidcSessionHours": 169}, ("oidcSessionHours = 169", "must be an integer from 1 to 168")),
]

UNKNOWN: list[Case] = [
    ({"vpcID": "vpc-0a1b2c3d4e5f60718"}, ("vpcID: unknown setting; did you mean vpcId?",)),
    ({"allowedCidrs": ["203.0.113.0/24"]}, ("allowedCidrs: unknown setting; did you mean allowedCidrBlocks?",)),
    ({"colour": "blue"}, ("colour: unknown setting; docs/settings.md lists all settings",)),
]

CASES = NETWORK + INGRESS + SERVER + TASK + PERMISSIONS + LOCKING + SIGN_IN + UNKNOWN
