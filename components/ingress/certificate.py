"""Certificate: issued by ACM for the server's host and validated through its hosted zone."""

import dataclasses

import pulumi
import pulumi_aws as aws

from ..context import Context
from ..outputs import declared_outputs


@dataclasses.dataclass(kw_only=True)
class CertificateInputs:
    """The host, and the zone that validates it."""

    context: Context
    host: pulumi.Input[str]
    hosted_zone_id: pulumi.Input[str]


class Certificate(pulumi.ComponentResource):
    """A certificate whose ARN resolves after ACM has issued it."""

    arn: pulumi.Output[str]

    def __init__(self, name: str, args: CertificateInputs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("atlantis:index:Certificate", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        certificate = aws.acm.Certificate(
            name,
            domain_name=args.host,
            validation_method="DNS",
            tags=args.context.tags,
            # A listener requires a certificate, so the engine must create the new one before it deletes the old one (its default).
            opts=child,
        )
        proof = certificate.domain_validation_options[0]
        record = aws.route53.Record(
            f"{name}-validation-record",
            zone_id=args.hosted_zone_id,
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
