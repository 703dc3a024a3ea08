"""What AWS has once only: alias records under their full name, and rules for the ranges of a VPC that the state reads."""

from typing import Any

from adoption import files
from tests.adoption.plans import adopted, plan, proposed
from tests.adoption.states import ACCOUNT, REGION, VPC, State, add, arn, find, small_state

ZONE, GROUP = "Z0123456789ABCDEFGHIJ", "sg-0aa0bb0cc0dd0ee34"
BLOCK = "10.0.0.0/16"


def _record(name: str, target: str, **more: Any) -> dict[str, Any]:
    alias = [{"name": target, "zone_id": "Z35SXDOTRQ7X7K", "evaluate_target_health": True}]
    record = {"name": name, "fqdn": "atlantis.example.org", "type": "A", "zone_id": ZONE, "ttl": 0, "records": None}
    return {"id": f"{ZONE}_{name}_A", **record, "alias": alias, **more}


def _with_record(name: str, target: str = "", **more: Any) -> State:
    state = small_state()
    find(state, "aws_lb.this")["zone_id"] = "Z35SXDOTRQ7X7K"
    target = target or find(state, "aws_lb.this")["dns_name"]
    add(state, "aws_route53_record.this", _record(name, target, **more), module="module.atlantis")
    return state


def test_a_record_is_adopted_under_its_full_name_however_it_was_written() -> None:
    for name in ("atlantis", "atlantis.example.org", "Atlantis.example.org."):
        found = plan(_with_record(name))
        assert proposed(found).get("hostedZoneId", ZONE) == ZONE
        assert files.section(found.adopted)["import"]["ingress-alias-a"] == f"{ZONE}_atlantis.example.org_A"
        assert not adopted(found, "ingress-alias-a").changes


def test_the_target_of_an_alias_is_compared_as_the_provider_does() -> None:
    balancer = find(small_state(), "aws_lb.this")["dns_name"]
    found = plan(_with_record("atlantis", f"dualstack.{balancer.upper()}."))
    assert not adopted(found, "ingress-alias-a").changes


def test_an_alias_that_does_not_evaluate_its_target_is_a_change() -> None:
    state = _with_record("atlantis")
    find(state, "aws_route53_record.this")["alias"][0]["evaluate_target_health"] = False
    assert [change.property for change in adopted(plan(state), "ingress-alias-a").changes] == [
        "aliases.evaluateTargetHealth"
    ]


def _with_endpoint() -> State:
    state = small_state()
    endpoint = {
        "id": "vpce-0aa0bb0cc0dd0ee71",
        "vpc_id": VPC,
        "service_name": f"com.amazonaws.{REGION}.logs",
        "vpc_endpoint_type": "Interface",
        "private_dns_enabled": True,
        "subnet_ids": ["subnet-0aa0bb0cc0dd0ee21"],
        "security_group_ids": [GROUP],
    }
    group = {"id": GROUP, "name": "endpoints", "description": "endpoints", "vpc_id": VPC, "ingress": [], "egress": []}
    rule = {
        "id": "sgr-0aa0bb0cc0dd0ee58",
        "security_group_rule_id": "sgr-0aa0bb0cc0dd0ee58",
        "security_group_id": GROUP,
        "ip_protocol": "tcp",
        "from_port": 443,
        "to_port": 443,
        "cidr_ipv4": BLOCK,
    }
    add(state, "aws_vpc_endpoint.logs", endpoint)
    add(state, "aws_security_group.endpoints", group)
    add(state, "aws_vpc_security_group_ingress_rule.endpoints", rule)
    return state


def test_the_rule_for_the_vpc_s_range_is_adopted_if_a_data_source_reads_the_range() -> None:
    state = _with_endpoint()
    associations = [{"cidr_block": BLOCK}, {"cidr_block": "100.64.0.0/16"}]
    vpc = {"id": VPC, "arn": arn("ec2", f"vpc/{VPC}"), "cidr_block": BLOCK, "cidr_block_associations": associations}
    add(state, "aws_vpc.main", vpc, mode="data")
    found = plan(state)
    assert not found.problems
    assert files.section(found.adopted)["import"][f"network-endpoints-https-from-{BLOCK}"] == "sgr-0aa0bb0cc0dd0ee58"
    assert "network-endpoints-https-from-100.64.0.0/16" in {wanted.name for wanted in found.new}
    assert not [actual for actual, _ in found.left if actual.address.endswith(".endpoints")]


def test_a_data_source_is_no_resource_to_adopt() -> None:
    state = small_state()
    add(state, "aws_caller_identity.current", {"id": ACCOUNT, "account_id": ACCOUNT}, mode="data")
    found = plan(state)
    assert files.section(found.adopted) == files.section(plan(small_state()).adopted)
    assert len(found.anatomy.state.resources) == len(small_state()["resources"])
