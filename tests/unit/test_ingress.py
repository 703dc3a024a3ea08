"""Ingress: load balancer, listeners, target group, certificate and DNS, input by input."""

from typing import Any

from tests.unit.recording import EXISTING_VPC, LOCAL, arn_of
from tests.unit.stacks import BARE, PRODUCTION, TAGS, stack

LOAD_BALANCER, TARGET_GROUP = "aws:lb/loadBalancer:LoadBalancer", "aws:lb/targetGroup:TargetGroup"
LISTENER = "aws:lb/listener:Listener"
RECORD, CERTIFICATE = "aws:route53/record:Record", "aws:acm/certificate:Certificate"
VALIDATION = "aws:acm/certificateValidation:CertificateValidation"
WEB_ACL = "aws:wafv2/webAclAssociation:WebAclAssociation"
ZONE = "Z0123456789ABCDEFGHIJ"


def test_the_load_balancer_stands_in_the_public_subnets_logs_and_drops_invalid_headers() -> None:
    assert stack().one(LOAD_BALANCER).inputs == {
        "name": "atlantis-prod",
        "loadBalancerType": "application",
        "internal": False,
        "idleTimeout": 3600,
        "ipAddressType": "ipv4",
        "subnets": ["subnet-public-1", "subnet-public-2"],
        "securityGroups": ["network-alb-id"],
        "accessLogs": {"bucket": "atlantis-prod-access-logs-123456789012-ap-northeast-2", "enabled": True},
        "desyncMitigationMode": "defensive",
        "dropInvalidHeaderFields": True,
        "enableDeletionProtection": True,
        "tags": TAGS,
    }


def test_the_load_balancer_waits_until_it_may_write_its_logs() -> None:
    assert "ingress-access-logs-policy" in stack().one(LOAD_BALANCER).depends_on


def test_without_deletion_protection_aws_deletes_the_load_balancer() -> None:
    assert stack(**BARE).one(LOAD_BALANCER).inputs["enableDeletionProtection"] is False


def test_a_web_acl_that_is_named_stands_in_front_of_the_load_balancer() -> None:
    assert stack(**PRODUCTION).one(WEB_ACL).inputs == {
        "resourceArn": arn_of("ingress-alb"),
        "webAclArn": PRODUCTION["webAclArn"],
    }
    assert stack().all(WEB_ACL) == []


def test_another_container_port_does_not_replace_the_target_group() -> None:
    group = stack(**PRODUCTION).one(TARGET_GROUP).inputs
    assert (group["port"], group["healthCheck"]["port"]) == (4141, "traffic-port")


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


def alias(record_type: str) -> dict[str, Any]:
    return {
        "zoneId": ZONE,
        "name": "atlantis.example.com",
        "type": record_type,
        "aliases": [{"name": "alb.example", "zoneId": "ZALB", "evaluateTargetHealth": True}],
    }


def test_without_a_zone_there_is_no_record_and_no_certificate() -> None:
    graph = stack()
    assert [graph.names(kind) for kind in (RECORD, CERTIFICATE, VALIDATION)] == [[]] * 3


def test_with_ipv4_the_alias_has_an_a_record_only() -> None:
    graph = stack(hostedZoneId=ZONE)
    assert graph.one(RECORD).inputs == alias("A")


def test_with_ipv6_the_alias_has_an_a_and_an_aaaa_record() -> None:
    graph = stack(**PRODUCTION)
    assert graph.one(RECORD, "ingress-alias-a").inputs == alias("A")
    assert graph.one(RECORD, "ingress-alias-aaaa").inputs == alias("AAAA")
    assert graph.one(LOAD_BALANCER).inputs["ipAddressType"] == "dualstack"


def test_a_certificate_that_exists_is_used_and_none_is_issued_with_a_zone_too() -> None:
    graph = stack(hostedZoneId=ZONE)
    assert graph.one(LISTENER, "ingress-https").inputs["certificateArn"] == LOCAL["acmCertificateArn"]
    assert graph.names(CERTIFICATE) == []


def test_the_listener_waits_until_the_certificate_is_issued() -> None:
    listener = stack(**PRODUCTION).one(LISTENER, "ingress-https")
    assert "ingress-certificate-validation" in listener.depends_on
    assert listener.inputs["certificateArn"] == arn_of("ingress-certificate")


def test_in_a_vpc_that_exists_the_load_balancer_stands_in_the_named_subnets() -> None:
    subnets = stack(**PRODUCTION).one(LOAD_BALANCER).inputs["subnets"]
    assert sorted(subnets) == EXISTING_VPC["publicSubnetIds"]
