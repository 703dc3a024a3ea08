"""Certificates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.testbed.providers.aws.base import AwsResource
from sandbox.testbed.providers.resource import Created
from sandbox.testbed.providers.values import Properties


class Certificate(AwsResource):
    """A certificate that ACM issues after DNS validation. ACM returns the validation records with a delay."""

    sdk_name = "aws:acm/certificate:Certificate"

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        """Only requested certificates are supported, not imported ones."""
        if "domainName" not in inputs:
            yield "domainName", "missing: the stand-in carries out requested certificates only"
        if inputs.get("validationMethod") == "NONE":
            yield "validationMethod", "'NONE' is for imported certificates"

    def shown_as(self, identity: str, answer: Mapping[str, Any], state: Properties) -> Properties:
        """The alternative names always include the domain name, as in the official provider."""
        alternatives = dict.fromkeys([answer["DomainName"], *answer.get("SubjectAlternativeNames", [])])
        return {**super().shown_as(identity, answer, state), "subjectAlternativeNames": list(alternatives)}


class CertificateValidation(AwsResource):
    """Waits until a certificate is issued; it isn't an object in AWS. The id doesn't identify the certificate."""

    sdk_name = "aws:acm/certificateValidation:CertificateValidation"

    def create(self, inputs: Properties) -> Created:
        """The id is the time of issue, or the certificate's ARN if ACM doesn't report one."""
        arn = inputs["certificateArn"]
        issued = self.backend.wait(f"issue of {arn}", lambda: self.describe("", inputs) and self.found("", inputs))
        return Created(str(issued.get("IssuedAt") or arn))

    def describe(self, identity: str, state: Properties) -> Properties | None:
        """None if the certificate isn't issued."""
        if "certificateArn" not in state:
            return None
        certificate = self.found("", state)
        if certificate["Status"] in ("FAILED", "VALIDATION_TIMED_OUT", "REVOKED"):
            reason = certificate.get("FailureReason", "no reason given")
            raise RuntimeError(f"{state['certificateArn']} was not issued: {certificate['Status']}, {reason}")
        return {"certificateArn": state["certificateArn"]} if certificate["Status"] == "ISSUED" else None
