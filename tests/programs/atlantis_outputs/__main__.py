"""Atlantis from the component package: a program that has nothing else of this repository, with a VPC, a certificate, a zone and topics."""

import pulumi
import pulumi_aws as aws
import pulumi_awsx as awsx


class Atlantis(pulumi.ComponentResource):
    """What a generated SDK has for the component."""

    def __init__(self, name, properties):
        outputs = {"url": None, "ecsServiceName": None}
        super().__init__("atlantis:index:Atlantis", name, properties | outputs, None, remote=True)

    @property
    @pulumi.getter
    def url(self):
        return pulumi.get(self, "url")

    @property
    @pulumi.getter(name="ecsServiceName")
    def ecs_service_name(self):
        return pulumi.get(self, "ecsServiceName")


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
        "terraform": {"terraformIsolation": "tasks"},
        "workers": {"planWorkers": "1-2"},
        "operations": {"alarmTopicArns": [topic.arn for topic in topics], "deletionProtection": False},
    },
)
pulumi.export("url", atlantis.url)
pulumi.export("service", atlantis.ecs_service_name)
pulumi.export("vpc", vpc.vpc_id)
