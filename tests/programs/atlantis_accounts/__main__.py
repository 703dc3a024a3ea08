"""Atlantis in two accounts. Each provider assumes a role there, with which the component follows the deployment too."""

import pulumi
import pulumi_aws as aws
from atlantis_on_fargate import Atlantis, AtlantisArgs, IngressArgs, OperationsArgs, ServerArgs, TaskArgs  # pyright: ignore[reportMissingImports] - installed with the package

for name, account in {"platform": "222222222222", "data": "333333333333"}.items():
    role = f"arn:aws:iam::{account}:role/deployer"
    assumed = aws.Provider(name, region="ap-northeast-2", assume_roles=[aws.ProviderAssumeRoleArgs(role_arn=role)])
    provider = pulumi.ResourceOptions(provider=assumed)
    host = f"{name}.atlantis.example.com"
    certificate = aws.acm.Certificate(name, domain_name=host, validation_method="DNS", opts=provider)
    atlantis = Atlantis(
        name,
        AtlantisArgs(
            environment="tools",
            ingress=IngressArgs(
                url=f"https://{host}",
                allowed_cidr_blocks=["203.0.113.0/24"],
                acm_certificate_arn=certificate.arn,
            ),
            server=ServerArgs(repo_allowlist=f"github.com/example-{name}/*", secret_reader_arns=[role]),
            task=TaskArgs(deployment_role_arn=role if pulumi.Config().get_bool("follow") is not False else None),
            operations=OperationsArgs(deletion_protection=False),
        ),
        opts=provider,
    )
    pulumi.export(name, {"url": atlantis.url, "service": atlantis.ecs_service_name, "role": atlantis.ecs_task_role_arn})
