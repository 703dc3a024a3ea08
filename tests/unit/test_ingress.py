"""Ingress: load balancer, listeners, target group, certificate and DNS, input by input."""

from tests.unit.recording import LOCAL, arn_of
from tests.unit.stacks import BARE, PRODUCTION, TAGS, stack

LOAD_BALANCER, TARGET_GROUP = "aws:lb/loadBalancer:LoadBalancer", "aws:lb/targetGroup:TargetGroup"
LISTENER = "aws:lb/listener:Listener"
RECORD, CERTIFICATE = "aws:route53/record:Record", "aws:acm/certificate:Certificate"
ZONE = "Z0123456789ABCDEFGHIJ"


def test_the_load_balancer_waits_until_it_may_write_its_logs() -> None:
    assert "ingress-access-logs-policy" in stack().one(LOAD_BALANCER).depends_on


def test_http_is_redirected_to_https_and_nothing_else() -> None:
    assert stack().one(LISTENER, "ingress-http").inputs == {
        "loadBalancerArn": arn_of("ingress-alb"),
        "protocol": "HTTP",
        "port": 80,
        "defaultActions": [
            {"type": "redirect", "redirect": {"protocol": "HTTPS", "port": "443", "statusCode": "HTTP_301"}}
        ],
        "tags": TAGS,
    }


def test_https_offers_tls_1_3_and_answers_403_to_whom_no_rule_admits() -> None:
    assert stack().one(LISTENER, "ingress-https").inputs == {
        "loadBalancerArn": arn_of("ingress-alb"),
        "protocol": "HTTPS",
        "port": 443,
        "sslPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06",
        "certificateArn": LOCAL["acmCertificateArn"],
        "defaultActions": [
            {
                "type": "fixed-response",
                "fixedResponse": {"contentType": "text/plain", "messageBody": "Forbidden", "statusCode": "403"},
            }
        ],
        "tags": TAGS,
    }
    assert stack().names(LISTENER) == ["ingress-http", "ingress-https"]


def test_the_tls_policy_is_a_setting() -> None:
    listener = stack(**BARE).one(LISTENER, "ingress-https")
    assert listener.inputs["sslPolicy"] == "ELBSecurityPolicy-TLS13-1-3-2021-06"


def test_a_certificate_that_exists_is_used_and_none_is_issued_with_a_zone_too() -> None:
    graph = stack(hostedZoneId=ZONE)
    assert graph.one(LISTENER, "ingress-https").inputs["certificateArn"] == LOCAL["acmCertificateArn"]
    assert graph.names(CERTIFICATE) == []


def test_the_listener_waits_until_the_certificate_is_issued() -> None:
    listener = stack(**PRODUCTION).one(LISTENER, "ingress-https")
    assert "ingress-certificate-validation" in listener.depends_on
    assert listener.inputs["certificateArn"] == arn_of("ingress-certificate")
