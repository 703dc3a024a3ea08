"""Certificate: issued by ACM for the server's host and validated through its hosted zone."""

import pulumi
import pulumi_aws as aws

from ..context import Context
from ..outputs import declared_outputs


class Certificate(pulumi.ComponentResource):
    """A certificate whose ARN resolves after ACM has issued it."""

    arn: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        context: Context,
        *,
        host: pulumi.Input[str],
        hosted_zone_id: pulumi.Input[str],
        opts: pulumi.ResourceOptions,
    ) -> None:
        super().__init__("atlantis:index:Certificate", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        certificate = aws.acm.Certificate(
            name,
            domain_name=host,
            validation_method="DNS",
            tags=context.tags,
            # A listener requires a certificate, so the engine must create the new one before it deletes the old one (its default).
            opts=child,
        )
        proof = certificate.domain_validation_options[0]
        record = aws.route53.Record(
            f"{name}-validation-record",
            zone_id=hosted_zone_id,
            name=proof.resource_record_name,
            type=proof.resource_record_type,
            records=[proof.resource_record_value],
            ttl=300,
            allow_overwrite=True,
            opts=child,
        )
        validation = aws.acm.CertificateValidation(
            f"{name}-validation",
            certificate_arn=certificate.arn,
            validation_record_fqdns=[record.fqdn],
            opts=child,
        )
        self.arn = validation.certificate_arn
        self.register_outputs(declared_outputs(self))
