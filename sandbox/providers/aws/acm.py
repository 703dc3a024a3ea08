"""Certificates."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from sandbox.providers.aws.base import AwsResource, mapped, pairs, rename_tags
from sandbox.providers.aws.listing import Listing
from sandbox.providers.resource import Created
from sandbox.providers.values import Properties


class Certificate(AwsResource):
    """A certificate that ACM issues once the domain is proven to be ours."""

    sdk_name = "aws:acm/certificate:Certificate"
    service = "acm"
    operation = "RequestCertificate"
    listing: ClassVar = Listing("list_certificates", "CertificateSummaryList[].CertificateArn")
    handled: ClassVar = frozenset({"options"})
    limits: ClassVar = {"options": "RequestCertificate.Options"}
    in_place: ClassVar = frozenset({"options"})
    computed: ClassVar = frozenset({"keyAlgorithm", "options", "subjectAlternativeNames", "validationMethod"})
    unordered: ClassVar = frozenset({"subjectAlternativeNames"})
    extended: ClassVar = unordered
    reported: ClassVar = unordered

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        """Requested only: an imported one has no domain of its own here."""
        if "domainName" not in inputs:
            yield "domainName", "missing: the stand-in carries out requested certificates only"
        if inputs.get("validationMethod") == "NONE":
            yield "validationMethod", "'NONE' is for imported certificates"

    def create(self, inputs: Properties) -> Created:
        """The id is the ARN; the token makes a repeated request the same request."""
        parameters = self.request(inputs)
        token = hashlib.sha256(f"{self.urn}{parameters}".encode()).hexdigest()[:32]
        tags = {"Tags": pairs(inputs["tags"])} if inputs.get("tags") else {}
        identity = self.client.request_certificate(**parameters, IdempotencyToken=token, **tags)["CertificateArn"]
        return Created(identity)

    def configure(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        """The records that prove the domain appear after a moment."""
        self.backend.wait(f"validation records of {identity}", lambda: self._validations(identity))
        if inputs.get("options") and "options" in changed:
            wanted = {"CertificateTransparencyLoggingPreference": "ENABLED"}
            preference = inputs["options"].get("certificateTransparencyLoggingPreference")
            if preference and preference != wanted["CertificateTransparencyLoggingPreference"]:
                options = {"CertificateTransparencyLoggingPreference": preference}
                self.client.update_certificate_options(CertificateArn=identity, Options=options)
        if "tags" in changed:
            added, removed = rename_tags(self._tags(identity), inputs.get("tags") or {})
            if added:
                self.client.add_tags_to_certificate(CertificateArn=identity, Tags=pairs(added))
            if removed:
                keys = [{"Key": key} for key in removed]
                self.client.remove_tags_from_certificate(CertificateArn=identity, Tags=keys)

    def _tags(self, identity: str) -> dict[str, str]:
        return mapped(self.client.list_tags_for_certificate(CertificateArn=identity)["Tags"])

    def _certificate(self, identity: str) -> Mapping[str, Any]:
        return self.client.describe_certificate(CertificateArn=identity)["Certificate"]

    def _validations(self, identity: str) -> list[Properties]:
        return [
            {
                "domainName": option["DomainName"],
                "resourceRecordName": option["ResourceRecord"]["Name"],
                "resourceRecordType": option["ResourceRecord"]["Type"],
                "resourceRecordValue": option["ResourceRecord"]["Value"],
            }
            for option in self._certificate(identity).get("DomainValidationOptions", [])
            if "ResourceRecord" in option
        ]

    def describe(self, identity: str, state: Properties) -> Properties | None:
        """With the records that prove the domain."""
        certificate = self._certificate(identity)
        found = self.properties(certificate, "status", "type", "renewalEligibility")
        found["arn"] = identity
        found["domainValidationOptions"] = self._validations(identity)
        method = next((o.get("ValidationMethod") for o in certificate.get("DomainValidationOptions", [])), None)
        found["validationMethod"] = method or state.get("validationMethod")
        # The name itself is among its alternatives, asked for or not.
        names = [certificate["DomainName"], *certificate.get("SubjectAlternativeNames", [])]
        found["subjectAlternativeNames"] = list(dict.fromkeys(names))
        return {**found, "tags": self._tags(identity)}

    def remove(self, identity: str, state: Properties) -> None:
        """Once nothing uses it."""
        del state
        self.client.delete_certificate(CertificateArn=identity)


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
        del identity
        arn = state.get("certificateArn")  # an id alone does not say which certificate: no import
        return {"certificateArn": arn} if arn and self._issued(arn) else None

    def remove(self, identity: str, state: Properties) -> None:
        """Nothing to remove."""
