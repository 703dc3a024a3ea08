"""Atlantis from the component package, with a VPC, a certificate, a zone and topics that the same program creates."""

import pulumi
import pulumi_aws as aws
import pulumi_awsx as awsx


class Atlantis(pulumi.ComponentResource):
    """What a generated SDK has for the component."""

    def __init__(self, name, properties):
        super().__init__("atlantis:index:Atlantis", name, properties | {"url": None}, None, remote=True)

    @property
    @pulumi.getter
    def url(self):
        return pulumi.get(self, "url")


vpc = awsx.ec2.Vpc(
    "network",
    cidr_block="10.80.0.0/16",
    number_of_availability_zones=2,
    nat_gateways={"strategy": awsx.ec2.NatGatewayStrategy.SINGLE},
)
certificate = aws.acm.Certificate("certificate", domain_name="atlantis.example.com", validation_method="DNS")
zone = aws.route53.Zone("zone", name="example.com")
topics = [aws.sns.Topic(name, name=name) for name in ("on-call", "security")]
atlantis = Atlantis(
    "platform",
    {
        "environment": "tools",
        "network": {
            "vpcId": vpc.vpc_id,
            "publicSubnetIds": [vpc.public_subnet_ids[0], vpc.public_subnet_ids[1]],
            "privateSubnetIds": [vpc.private_subnet_ids[0], vpc.private_subnet_ids[1]],
        },
        "ingress": {
            "url": "https://atlantis.example.com",
            "allowedCidrBlocks": pulumi.Config().require_object("allowedCidrBlocks"),
            "acmCertificateArn": certificate.arn,
            "hostedZoneId": zone.zone_id,
        },
        "server": {
            "repoAllowlist": "github.com/example-organization/*",
            "secretReaderArns": ["arn:aws:iam::123456789012:role/deployer"],
        },
        "task": {"cpu": 1024, "memory": 2048, "image": "ghcr.io/runatlantis/atlantis:v0.47.1"},
        "operations": {"alarmTopicArns": [topic.arn for topic in topics], "deletionProtection": False},
    },
)
pulumi.export("url", atlantis.url)
pulumi.export("vpc", vpc.vpc_id)
