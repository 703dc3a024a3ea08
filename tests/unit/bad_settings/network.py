"""Refused settings of the VPC and of the ingress."""

from tests.unit.bad_settings.messages import CERTIFICATE, CIDR, INTERNET, SUBNET_ID, URL, UUID, VPC_ID, Case, vpc
from tests.unit.recording import ACCOUNT, EXISTING_VPC

NETWORK: list[Case] = [
    ({"allowedCidrBlocks": None}, ("allowedCidrBlocks: missing", "must be a list")),
    ({"allowedCidrBlocks": []}, ("allowedCidrBlocks = []", "must have at least 1 item")),
    (
        {"allowedCidrBlocks": "203.0.113.0/24"},
        (
            "allowedCidrBlocks: ",
            "must be a list; to set its first item",
            "config set --plaintext --path 'atlantis:allowedCidrBlocks[0]'",
        ),
    ),
    ({"allowedCidrBlocks": "{}"}, ("allowedCidrBlocks: ", "must be a list")),
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
            "set all of them for an existing VPC, or none for a new one",
        ),
    ),
    (vpc(vpcId=None), ("publicSubnetIds, privateSubnetIds: also requires vpcId", "set all of them")),
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
    *(
        ({"vpcCidrBlock": block}, (f"vpcCidrBlock = '{block}'", "must be a private CIDR block in 10.0.0.0/8"))
        for block in ("127.0.0.0/16", "169.254.0.0/16", "240.0.0.0/16", "198.18.0.0/16")
    ),
    (vpc(vpcCidrBlock="10.9.0.0/16"), ("vpcCidrBlock = '10.9.0.0/16', vpcId: is the range of a new VPC",)),
    (
        {"vpcCidrBlock": "8.8.0.0/16"},
        ("vpcCidrBlock = '8.8.0.0/16'", "must be a private CIDR block in 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16"),
    ),
    (
        {"vpcEndpoints": ["sqs"]},
        ("item 1 ('sqs')", "must be one of ecr.api, ecr.dkr, s3, secretsmanager, logs, ssm, auto"),
    ),
    ({"vpcEndpoints": ["s3", "auto"]}, ("vpcEndpoints = ['s3', 'auto']", "auto can't be combined with endpoint names")),
    ({"vpcEndpoints": ["s3", "s3"]}, ("vpcEndpoints = ['s3', 's3']", "must not contain duplicates")),
    ({"vpcEndpoints": "[" * 20_000}, ("vpcEndpoints: ", "must be a list")),
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
