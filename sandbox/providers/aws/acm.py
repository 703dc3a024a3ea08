"""Certificates."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from sandbox.providers.aws.base import AwsResource
from sandbox.providers.aws.calls import Call, Tagging
from sandbox.providers.aws.listing import Listing
from sandbox.providers.resource import Created, names
from sandbox.providers.values import Properties


class Certificate(AwsResource):
    """A certificate that ACM issues once the domain is proven to be ours."""

    sdk_name = "aws:acm/certificate:Certificate"
    service = "acm"
    operation, made = "RequestCertificate", "CertificateArn"
    described: ClassVar = Call("describe_certificate", "CertificateArn", "Certificate")
    deleted: ClassVar = Call("delete_certificate", "CertificateArn")
    tagging: ClassVar = Tagging(
        "CertificateArn", "list_tags_for_certificate", "add_tags_to_certificate", "remove_tags_from_certificate"
    )
    listing: ClassVar = Listing("list_certificates", "CertificateSummaryList[].CertificateArn")
    handled: ClassVar = frozenset({"options"})
    limits: ClassVar = {"options": "RequestCertificate.Options"}
    in_place: ClassVar = frozenset({"options"})
    computed: ClassVar = names("keyAlgorithm options subjectAlternativeNames validationMethod")
    unordered: ClassVar = frozenset({"subjectAlternativeNames"})
    extended: ClassVar = unordered
    reported: ClassVar = unordered

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        """Requested only: an imported one has no domain of its own here."""
        if "domainName" not in inputs:
            yield "domainName", "missing: the stand-in carries out requested certificates only"
        if inputs.get("validationMethod") == "NONE":
            yield "validationMethod", "'NONE' is for imported certificates"

    def parameters(self, inputs: Properties) -> dict[str, Any]:
        """The token makes a repeated request the same request."""
        parameters = self.request(inputs)
        return {**parameters, "IdempotencyToken": hashlib.sha256(f"{self.urn}{parameters}".encode()).hexdigest()[:32]}

    def configure(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        """The records that prove the domain appear after a moment."""
        self.backend.wait(f"validation records of {identity}", lambda: self._validations(identity))
        if inputs.get("options") and "options" in changed:
            preference = inputs["options"].get("certificateTransparencyLoggingPreference")
            if preference and preference != "ENABLED":
                options = {"CertificateTransparencyLoggingPreference": preference}
                self.client.update_certificate_options(CertificateArn=identity, Options=options)
        if "tags" in changed:
            self.retag(identity, inputs)

    def _validations(self, identity: str) -> list[Properties]:
        return [
            {
                "domainName": option["DomainName"],
                "resourceRecordName": option["ResourceRecord"]["Name"],
                "resourceRecordType": option["ResourceRecord"]["Type"],
                "resourceRecordValue": option["ResourceRecord"]["Value"],
            }
            for option in self.found(identity).get("DomainValidationOptions", [])
            if "ResourceRecord" in option
        ]

    def describe(self, identity: str, state: Properties) -> Properties | None:
        certificate = self.found(identity)
        found = self.properties(certificate, "status", "type", "renewalEligibility")
        found["arn"] = identity
        found["domainValidationOptions"] = self._validations(identity)
        method = next((o.get("ValidationMethod") for o in certificate.get("DomainValidationOptions", [])), None)
        found["validationMethod"] = method or state.get("validationMethod")
        # The name itself is among its alternatives, asked for or not.
        names = [certificate["DomainName"], *certificate.get("SubjectAlternativeNames", [])]
        found["subjectAlternativeNames"] = list(dict.fromkeys(names))
        return {**found, "tags": self.tags_of(identity)}


class CertificateValidation(AwsResource):
    """The moment a certificate is issued: nothing in AWS, but something to wait for."""

    sdk_name = "aws:acm/certificateValidation:CertificateValidation"
    service = "acm"
    operation = "DescribeCertificate"
    write_only: ClassVar = frozenset({"validationRecordFqdns"})
    unordered: ClassVar = frozenset({"validationRecordFqdns"})

    def create(self, inputs: Properties) -> Created:
        """The id is the time of issue."""
        certificate = self.backend.wait(
            f"issue of {inputs['certificateArn']}", lambda: self._issued(inputs["certificateArn"])
        )
        issued = certificate.get("IssuedAt")
        return Created(str(issued or inputs["certificateArn"]))

    def _issued(self, identity: str) -> Mapping[str, Any] | None:
        certificate = self.client.describe_certificate(CertificateArn=identity)["Certificate"]
        if certificate["Status"] in ("FAILED", "VALIDATION_TIMED_OUT", "REVOKED"):
            reason = certificate.get("FailureReason", "no reason given")
            raise RuntimeError(f"{identity} was not issued: {certificate['Status']}, {reason}")
        return certificate if certificate["Status"] == "ISSUED" else None

    def describe(self, identity: str, state: Properties) -> Properties | None:
        """Gone once the certificate is no longer issued."""
        arn = state.get("certificateArn")  # an id alone does not say which certificate: no import
        return {"certificateArn": arn} if arn and self._issued(arn) else None

    def remove(self, identity: str, state: Properties) -> None:
        """Nothing to remove."""
