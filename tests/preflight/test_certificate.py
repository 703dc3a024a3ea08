"""The certificate and hosted zone checks, each spoiled once."""

from datetime import UTC, datetime, timedelta

import pytest

from preflight.certificate import covers
from preflight.errors import Status
from tests.preflight.account import Account
from tests.tables import table

ISSUED, COVERS, IN_DATE = "certificate: is issued", "certificate: covers the host", "certificate: is in date"
DESCRIBE = ("acm", "describe_certificate")


@pytest.mark.parametrize(
    ("pattern", "host", "covered"),
    table(__file__, "wildcards"),
)
def test_wildcard_stands_for_the_first_label_only(pattern: str, host: str, covered: bool):
    assert covers(pattern, host) == covered


def test_unknown_certificate_is_a_failure(account: Account):
    unknown = account.values["acmCertificateArn"][:-12] + "0" * 12
    account.values["acmCertificateArn"] = unknown
    account.assert_only(
        ISSUED, Status.FAILED, f"{unknown} does not exist in ap-northeast-2", "correct acmCertificateArn"
    )


@pytest.mark.parametrize(
    ("answer", "said", "way_out"),
    [
        ({"Status": "PENDING_VALIDATION"}, "is PENDING_VALIDATION, not ISSUED", "create the DNS records"),
        ({"Status": "FAILED", "FailureReason": "CAA_ERROR"}, "is FAILED (CAA_ERROR)", "request another certificate"),
        ({"Status": "EXPIRED"}, "is EXPIRED, not ISSUED", "request another certificate"),
        (
            {"Status": "REVOKED", "RevocationReason": "KEY_COMPROMISE"},
            "is REVOKED (KEY_COMPROMISE)",
            "request another certificate",
        ),
    ],
)
def test_certificate_that_is_not_issued_says_its_status(
    account: Account, answer: dict[str, str], said: str, way_out: str
):
    account.altered[DESCRIBE] = {"Certificate": answer}
    account.assert_only(ISSUED, Status.FAILED, said, way_out)


def test_host_outside_the_names_is_a_failure(account: Account):
    account.values["url"] = "https://deep.atlantis.example.com"
    account.assert_only(
        COVERS,
        Status.FAILED,
        "is for *.example.com, which does not cover deep.atlantis.example.com",
        "request a certificate for",
    )


def test_alternative_names_count(account: Account):
    account.altered[DESCRIBE] = {
        "Certificate": {"DomainName": "other.test", "SubjectAlternativeNames": ["other.test", "atlantis.example.com"]}
    }
    assert account.result(COVERS).message == "atlantis.example.com covers atlantis.example.com"


@pytest.mark.parametrize(
    ("answer", "status", "said"),
    [
        ({"NotAfter": datetime.now(UTC) - timedelta(days=1)}, Status.FAILED, "the certificate expired on"),
        ({"NotBefore": datetime.now(UTC) + timedelta(days=1)}, Status.FAILED, "is valid only from"),
        ({"NotAfter": datetime.now(UTC) + timedelta(days=9), "Type": "IMPORTED"}, Status.WARNING, "ACM doesn't renew"),
    ],
)
def test_dates_are_looked_at(account: Account, answer: dict[str, object], status: Status, said: str):
    account.altered[DESCRIBE] = {"Certificate": answer}
    account.assert_only(IN_DATE, status, said)


def test_certificate_that_acm_renews_is_no_warning(account: Account):
    account.altered[DESCRIBE] = {"Certificate": {"NotAfter": datetime.now(UTC) + timedelta(days=9)}}
    assert account.result(IN_DATE).status is Status.OK


def test_certificate_that_the_deployment_issues_needs_no_check(account: Account):
    del account.values["acmCertificateArn"]
    account.assert_only(ISSUED, Status.NOT_CHECKED, "the deployment issues it")


def test_unknown_zone_is_a_failure(account: Account):
    account.values["hostedZoneId"] = "Z00000000000000000000"
    account.assert_only(
        "DNS: hosted zone", Status.FAILED, "Z00000000000000000000 does not exist", "correct hostedZoneId"
    )


def test_zone_of_another_domain_is_a_failure(account: Account):
    zone = account.client("route53").create_hosted_zone(Name="badexample.com", CallerReference="other")["HostedZone"][
        "Id"
    ]
    account.values["hostedZoneId"] = zone.rsplit("/", 1)[-1]
    account.assert_only(
        "DNS: hosted zone", Status.FAILED, "is badexample.com, and atlantis.example.com is not a name in it"
    )


def test_private_zone_is_a_failure(account: Account):
    zone = account.client("route53").create_hosted_zone(
        Name="example.com", CallerReference="private", VPC={"VPCRegion": "ap-northeast-2", "VPCId": account.ids["vpc"]}
    )["HostedZone"]["Id"]
    account.values["hostedZoneId"] = zone.rsplit("/", 1)[-1]
    account.assert_only(
        "DNS: hosted zone", Status.FAILED, "the hosted zone example.com is private", "name a public one"
    )


def test_without_a_zone_the_record_is_left_to_people(account: Account):
    del account.values["hostedZoneId"]
    account.assert_only("DNS: hosted zone", Status.NOT_CHECKED, "make it by hand: atlantis.example.com")
