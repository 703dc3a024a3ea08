"""The certificate and the hosted zone: both match the URL's host."""

from datetime import UTC, datetime, timedelta
from typing import Any

from components.settings.schema import known
from preflight.check import Check
from preflight.deployment import Deployment
from preflight.errors import FailedError, NotCheckedError, WarnedError

RENEWAL_NOTICE = timedelta(days=30)

PENDING = "create the DNS records that `aws acm describe-certificate` lists, and wait until its status is ISSUED"


def covers(pattern: str, host: str) -> bool:
    """Whether a certificate's name covers a host. `*` matches exactly one label, the first."""
    name, wanted = pattern.lower().rstrip("."), host.lower().rstrip(".")
    if name.startswith("*."):
        label, _, parent = wanted.partition(".")
        return bool(label) and parent == name[2:]
    return name == wanted


def exists(deployment: Deployment) -> str:
    """The certificate exists in the stack's region and is issued."""
    certificate = _certificate(deployment)
    status = certificate["Status"]
    if status != "ISSUED":
        reason = certificate.get("FailureReason") or certificate.get("RevocationReason")
        remedy = (
            PENDING
            if status == "PENDING_VALIDATION"
            else "request another certificate and set acmCertificateArn to its ARN"
        )
        raise FailedError(f"the certificate is {status}{f' ({reason})' if reason else ''}, not ISSUED", remedy)
    return f"ISSUED, for {', '.join(names_of(certificate))}"


def covers_host(deployment: Deployment) -> str:
    """One of the certificate's names covers the URL's host."""
    names, host = names_of(_certificate(deployment)), known(deployment.settings.ingress.host)
    match = next((name for name in names if covers(name, host)), None)
    if match is None:
        raise FailedError(
            f"the certificate is for {', '.join(names)}, which does not cover {host}",
            f"request a certificate for {host}, or correct url in Pulumi.{deployment.stack}.yaml",
        )
    return f"{match} covers {host}"


def in_date(deployment: Deployment) -> str:
    """The certificate is valid and, if it was imported, doesn't expire within 30 days."""
    certificate, now = _certificate(deployment), datetime.now(UTC)
    begin, end = certificate.get("NotBefore"), certificate["NotAfter"]
    if end <= now:
        raise FailedError(
            f"the certificate expired on {end:%Y-%m-%d}",
            "renew it, import it again, or set acmCertificateArn to another certificate",
        )
    if begin and begin > now:
        raise FailedError(
            f"the certificate is valid only from {begin:%Y-%m-%d}",
            "set acmCertificateArn to a certificate that is valid now",
        )
    if end - now < RENEWAL_NOTICE and certificate.get("Type") == "IMPORTED":
        raise WarnedError(
            f"the certificate expires on {end:%Y-%m-%d}; ACM doesn't renew imported certificates",
            "import a new one soon",
        )
    return f"until {end:%Y-%m-%d}"


def hosted_zone(deployment: Deployment) -> str:
    """The hosted zone is public, and the URL's host is a name in it."""
    zone_id, host = deployment.settings.ingress.hosted_zone_id, known(deployment.settings.ingress.host)
    if not zone_id:
        raise NotCheckedError(
            "hostedZoneId is not set: the deployment creates no DNS record", f"make it by hand: {host}"
        )
    answer = deployment.aws.find("route53", "get_hosted_zone", Id=zone_id)
    if answer is None:
        raise FailedError(f"the hosted zone {zone_id} does not exist", "correct hostedZoneId")
    zone = answer["HostedZone"]
    name = zone["Name"].rstrip(".")
    if host != name and not host.endswith(f".{name}"):
        raise FailedError(
            f"the hosted zone {zone_id} is {name}, and {host} is not a name in it", "correct hostedZoneId or url"
        )
    if zone.get("Config", {}).get("PrivateZone"):
        raise FailedError(
            f"the hosted zone {name} is private, so GitHub and ACM can't resolve its records", "name a public one"
        )
    return f"{host} is a name in {name}"


CHECKS = (
    Check("certificate", "is issued", exists),
    Check("certificate", "covers the host", covers_host, needs=(exists,)),
    Check("certificate", "is in date", in_date, needs=(exists,)),
    Check("DNS", "hosted zone", hosted_zone),
)


def _certificate(deployment: Deployment) -> dict[str, Any]:
    arn = deployment.settings.ingress.acm_certificate_arn
    if deployment.settings.existing.https_listener_arn or not deployment.settings.ingress.has_load_balancer:
        raise NotCheckedError("the deployment creates no listener")
    if not arn:
        raise NotCheckedError("the deployment issues it, and validates the domain through the hosted zone")
    answer = deployment.aws.find("acm", "describe_certificate", CertificateArn=arn)
    if answer is None:
        raise FailedError(
            f"{arn} does not exist in {deployment.settings.region}",
            "correct acmCertificateArn; the load balancer supports only certificates in its own region",
        )
    return answer["Certificate"]


def names_of(certificate: dict[str, Any]) -> list[str]:
    """The names that a certificate is for."""
    return list(dict.fromkeys([certificate["DomainName"], *certificate.get("SubjectAlternativeNames", [])]))
