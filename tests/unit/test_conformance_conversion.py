"""The conversion of the engine's state to Terraform loses nothing silently; no provider needed."""

import json
from typing import Any

import pytest

from sandbox.conformance.conversion import configuration
from sandbox.conformance.naming import ProviderSchema

RULE = {
    "attributes": {"id": {"type": "string"}, "cidr_ipv6": {"type": "string"}},
    "block_types": {"timeouts": {"block": {"attributes": {"create": {"type": "string"}}}}},
}
SCHEMA = ProviderSchema("hashicorp/aws", {"aws_vpc_security_group_ingress_rule": {"block": RULE}})
TYPE = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"


def rule(name: str, **inputs: Any) -> dict[str, Any]:
    return {
        "urn": f"urn:pulumi:prod::atlantis::atlantis:ingress:Ingress${TYPE}::{name}",
        "type": TYPE,
        "custom": True,
        "id": "sgr-1",
        "inputs": inputs,
    }


def test_rules_for_ipv6_ranges_keep_their_own_labels():
    ranges = ("2a0a:a440::/29", "2606:50c0::/32", "2001:db8:1::/48")
    converted = configuration([rule(f"alb-https-{block}", cidrIpv6=block) for block in ranges], SCHEMA)
    rules = converted["aws_vpc_security_group_ingress_rule"]
    assert [item["cidr_ipv6"] for item in rules.values()] == list(ranges)
    assert "alb-https-2a0a_a440___29" in rules


def test_two_resources_with_one_label_are_an_error():
    with pytest.raises(ValueError, match=r"two resources of the type aws_vpc_security_group_ingress_rule .*label a_b"):
        configuration([rule("a/b"), rule("a:b")], SCHEMA)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"cidrIpv5": "10.0.0.0/8"}, "cidrIpv5 of aws_vpc_security_group_ingress_rule$"),
        ({"timeouts": {"make": "1m"}}, r"make of aws_vpc_security_group_ingress_rule\.timeouts$"),
    ],
)
def test_a_property_that_the_provider_does_not_have_is_an_error(inputs: dict[str, Any], message: str):
    with pytest.raises(LookupError, match=message):
        configuration([rule("a", **inputs)], SCHEMA)


def test_a_document_that_another_resource_attached_is_not_a_reference():
    # A refresh reads the attached policy into the secret, whose attribute is empty until then.
    document = json.dumps({"Version": "2012-10-17", "Statement": []})
    secret = attached("aws:secretsmanager/secret:Secret", "app", outputs={"policy": document})
    policy = attached("aws:secretsmanager/secretPolicy:SecretPolicy", "app-policy", inputs={"policy": document})
    strings = {"policy": {"type": "string"}, "id": {"type": "string"}}
    types = ("aws_secretsmanager_secret", "aws_secretsmanager_secret_policy")
    schema = ProviderSchema("hashicorp/aws", {type_: {"block": {"attributes": strings}} for type_ in types})
    converted = configuration([secret, {**policy, "dependencies": [secret["urn"]]}], schema)
    assert converted["aws_secretsmanager_secret_policy"]["app-policy"]["policy"] == document


def attached(type_: str, name: str, **properties: dict[str, Any]) -> dict[str, Any]:
    urn = f"urn:pulumi:prod::atlantis::{type_}::{name}"
    return {"urn": urn, "type": type_, "custom": True, "id": "arn:aws:secretsmanager:x", "inputs": {}, **properties}
