"""Atlantis in two regions of one account. IAM's names are the account's, so they have the region."""

import pulumi
import pulumi_aws as aws
from atlantis_on_fargate import Atlantis, AtlantisArgs, IngressArgs, OperationsArgs, ServerArgs  # pyright: ignore[reportMissingImports] - installed with the package

for region in ("ap-northeast-2", "us-east-1"):
    provider = pulumi.ResourceOptions(provider=aws.Provider(region, region=region))
    host = f"{region}.atlantis.example.com"
    certificate = aws.acm.Certificate(region, domain_name=host, validation_method="DNS", opts=provider)
    atlantis = Atlantis(
        f"tools-{region}",
        AtlantisArgs(
            environment="tools",
            regional_iam_names=True,
            ingress=IngressArgs(
                url=f"https://{host}",
                allowed_cidr_blocks=["203.0.113.0/24"],
                acm_certificate_arn=certificate.arn,
            ),
            server=ServerArgs(
                repo_allowlist="github.com/example-organization/*",
                secret_reader_arns=["arn:aws:iam::123456789012:role/deployer"],
            ),
            operations=OperationsArgs(deletion_protection=False),
        ),
        opts=provider,
    )
    pulumi.export(
        region, {"url": atlantis.url, "service": atlantis.ecs_service_name, "role": atlantis.ecs_task_role_arn}
    )
