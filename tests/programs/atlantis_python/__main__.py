"""Atlantis from the component package: a program in Python that has nothing else of this repository."""

import pulumi


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


certificate = pulumi.CustomResource(
    "aws:acm/certificate:Certificate", "certificate", {"domainName": "atlantis.example.com", "validationMethod": "DNS"}
)
atlantis = Atlantis(
    "platform",
    {
        "environment": "tools",
        "ingress": {
            "url": "https://atlantis.example.com",
            "allowedCidrBlocks": pulumi.Config().require_object("allowedCidrBlocks"),
            "acmCertificateArn": certificate.id,
        },
        "server": {
            "repoAllowlist": "github.com/example-organization/*",
            "secretReaderArns": ["arn:aws:iam::123456789012:role/deployer"],
        },
        "task": {"cpu": 1024, "memory": 2048},
        "terraform": {"terraformIsolation": "tasks"},
        "workers": {"planWorkers": "1-2"},
        "operations": {"deletionProtection": False},
    },
)
pulumi.export("url", atlantis.url)
pulumi.export("service", atlantis.ecs_service_name)
