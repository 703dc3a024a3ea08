"""What the local AWS answers about networks, where Terraform reads what ministack alone doesn't keep."""

import pytest

from sandbox.testbed.local_aws import LocalAws
from tests.sandbox.limited_role import refused


@pytest.mark.parametrize(("direction", "key"), [("ingress", "IpPermissions"), ("egress", "IpPermissionsEgress")])
def test_a_rule_keeps_its_prefix_lists(aws: LocalAws, direction: str, key: str):
    network = aws.client("ec2")
    group = network.create_security_group(GroupName=f"lists-{direction}", Description="Rules by prefix list")["GroupId"]
    lists = network.describe_prefix_lists()["PrefixLists"][:2]
    peers = [{"PrefixListId": item["PrefixListId"], "Description": "Gateway endpoint"} for item in lists]
    rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "PrefixListIds": peers}
    authorize = getattr(network, f"authorize_security_group_{direction}")
    authorize(GroupId=group, IpPermissions=[rule])

    def shown() -> list[object]:
        rules = network.describe_security_groups(GroupIds=[group])["SecurityGroups"][0][key]
        return [item["PrefixListIds"] for item in rules if item["IpProtocol"] == "tcp"]

    assert len(peers) == 2
    assert shown() == [peers]
    listed = network.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])
    found = [item["PrefixListId"] for item in listed["SecurityGroupRules"] if "PrefixListId" in item]
    assert found == [peer["PrefixListId"] for peer in peers]
    undescribed = {**rule, "PrefixListIds": [{"PrefixListId": item["PrefixListId"]} for item in lists]}
    assert refused(authorize, GroupId=group, IpPermissions=[undescribed])[0] == "InvalidPermission.Duplicate"
    getattr(network, f"revoke_security_group_{direction}")(GroupId=group, IpPermissions=[undescribed])
    assert shown() == []


def test_a_group_is_revoked_as_a_peer_without_its_description(aws: LocalAws):
    network = aws.client("ec2")
    group = network.create_security_group(GroupName="described", Description="A rule by group")["GroupId"]
    rule = {"IpProtocol": "tcp", "FromPort": 80, "ToPort": 80}
    described = {**rule, "UserIdGroupPairs": [{"GroupId": group, "Description": "Itself"}]}
    network.authorize_security_group_ingress(GroupId=group, IpPermissions=[described])
    undescribed = {**rule, "UserIdGroupPairs": [{"GroupId": group}]}
    network.revoke_security_group_ingress(GroupId=group, IpPermissions=[undescribed])
    assert network.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissions"] == []


def test_filters_by_their_other_names_find_only_what_they_name(aws: LocalAws):
    network = aws.client("ec2")
    network.create_vpc(CidrBlock="10.77.0.0/16")
    found = network.describe_vpcs(Filters=[{"Name": "isDefault", "Values": ["true"]}])["Vpcs"]
    assert [item["IsDefault"] for item in found] == [True]
    subnet = network.describe_subnets()["Subnets"][0]
    for name, key in (
        ("availabilityZone", "AvailabilityZone"),
        ("availabilityZoneId", "AvailabilityZoneId"),
        ("cidrBlock", "CidrBlock"),
    ):
        shown = network.describe_subnets(Filters=[{"Name": name, "Values": [subnet[key]]}])["Subnets"]
        assert {item[key] for item in shown} == {subnet[key]}
    others = network.describe_subnets(Filters=[{"Name": "defaultForAz", "Values": ["false"]}])["Subnets"]
    assert not any(item["DefaultForAz"] for item in others)


def test_the_ports_of_a_rule_for_all_protocols_do_not_count(aws: LocalAws):
    ec2 = aws.client("ec2")
    group = ec2.create_security_group(GroupName="ports", Description="test")["GroupId"]
    everything = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    ec2.revoke_security_group_egress(GroupId=group, IpPermissions=[everything | {"FromPort": 0, "ToPort": 0}])
    assert ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"][0]["IpPermissionsEgress"] == []
