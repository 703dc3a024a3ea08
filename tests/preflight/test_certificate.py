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
