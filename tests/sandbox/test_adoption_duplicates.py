"""The local AWS refuses what AWS has only once, so that a rehearsal fails where an adoption would."""

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.testbed import local_aws
from sandbox.testbed.local_aws import LocalAws


@pytest.fixture(scope="module")
def vpc(aws: LocalAws) -> str:
    return aws.client("ec2").create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]


@pytest.fixture(scope="module")
def subnets(aws: LocalAws, vpc: str) -> list[str]:
    zones = enumerate("ac")
    create = aws.client("ec2").create_subnet
    return [
        create(VpcId=vpc, CidrBlock=f"10.9.{n}.0/24", AvailabilityZone=f"{local_aws.REGION}{z}")["Subnet"]["SubnetId"]
        for n, z in zones
    ]


def _refused(call: Callable[[], Any]) -> str:
    with pytest.raises(ClientError) as refused:
        call()
    return refused.value.response["Error"]["Code"]


@pytest.mark.parametrize("direction", ["ingress", "egress"])
def test_a_security_group_has_a_rule_once_whatever_its_description(aws: LocalAws, vpc: str, direction: str) -> None:
    ec2 = aws.client("ec2")
    group = ec2.create_security_group(GroupName=direction, Description="test", VpcId=vpc)["GroupId"]
    authorize = getattr(ec2, f"authorize_security_group_{direction}")

    def rule(port: int, **peer: Any) -> None:
        permission = {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, **peer}
        authorize(GroupId=group, IpPermissions=[permission])

    for peer in (
        {"IpRanges": [{"CidrIp": "10.0.0.0/8"}]},
        {"Ipv6Ranges": [{"CidrIpv6": "2001:db8::/32"}]},
        {"UserIdGroupPairs": [{"GroupId": group}]},
    ):
        rule(443, **peer)
        rule(444, **peer)
        assert _refused(lambda peer=peer: rule(443, **peer)) == "InvalidPermission.Duplicate"
    described = {"IpRanges": [{"CidrIp": "10.0.0.0/8", "Description": "another"}]}
    assert _refused(lambda: rule(443, **described)) == "InvalidPermission.Duplicate"


def test_the_ports_of_a_rule_for_all_protocols_do_not_count(aws: LocalAws, vpc: str) -> None:
    ec2 = aws.client("ec2")
    group = ec2.create_security_group(GroupName="ports", Description="test", VpcId=vpc)["GroupId"]
    everything = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}

    def authorize(**ports: int) -> None:
        ec2.authorize_security_group_egress(GroupId=group, IpPermissions=[everything | ports])

    assert _refused(lambda: authorize(FromPort=0, ToPort=0)) == "InvalidPermission.Duplicate"
    ec2.revoke_security_group_egress(GroupId=group, IpPermissions=[everything | {"FromPort": 0, "ToPort": 0}])
    authorize()


def test_a_zone_has_an_alias_record_once(aws: LocalAws) -> None:
    route53 = aws.client("route53")
    zone = route53.create_hosted_zone(Name="example.com", CallerReference="test")["HostedZone"]["Id"]
    alias = {"HostedZoneId": "Z1", "DNSName": "lb.example.net", "EvaluateTargetHealth": False}
    record = {"Name": "atlantis.example.com", "Type": "A", "AliasTarget": alias}
    batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)
    assert (
        _refused(lambda: route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch))
        == "InvalidChangeBatch"
    )


def test_a_target_group_a_port_and_a_priority_are_taken_once(aws: LocalAws, vpc: str, subnets: list[str]) -> None:
    elb = aws.client("elbv2")
    group, free = (
        elb.create_target_group(Name=name, Protocol="HTTP", Port=80, VpcId=vpc, TargetType="ip")["TargetGroups"][0][
            "TargetGroupArn"
        ]
        for name in ("taken", "free")
    )
    first, second = (
        elb.create_load_balancer(Name=name, Subnets=subnets)["LoadBalancers"][0]["LoadBalancerArn"]
        for name in ("first", "second")
    )

    def listen(balancer: str, port: int, *actions: dict[str, Any]) -> str:
        answer = elb.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=port, DefaultActions=list(actions))
        return answer["Listeners"][0]["ListenerArn"]

    forward, closed = (
        {"Type": "forward", "TargetGroupArn": group},
        {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "403"}},
    )
    weighted = {"Type": "forward", "ForwardConfig": {"TargetGroups": [{"TargetGroupArn": group, "Weight": 1}]}}
    own = listen(first, 80, forward)
    listen(first, 81, forward)
    assert _refused(lambda: listen(first, 80, closed)) == "DuplicateListener"
    for action in (forward, weighted):
        assert _refused(lambda action=action: listen(second, 80, action)) == "TargetGroupAssociationLimit"
    other = listen(second, 80, closed)

    def rule(listener: str, priority: int, action: dict[str, Any]) -> str:
        condition = {"Field": "path-pattern", "Values": ["/events"]}
        answer = elb.create_rule(ListenerArn=listener, Priority=priority, Conditions=[condition], Actions=[action])
        return answer["Rules"][0]["RuleArn"]

    rule(own, 1, forward)
    assert _refused(lambda: rule(own, 1, forward)) == "PriorityInUse"
    assert _refused(lambda: rule(other, 1, forward)) == "TargetGroupAssociationLimit"
    made = rule(other, 1, {"Type": "forward", "TargetGroupArn": free})
    assert _refused(lambda: elb.modify_rule(RuleArn=made, Actions=[forward])) == "TargetGroupAssociationLimit"
    assert (
        _refused(lambda: elb.modify_listener(ListenerArn=other, DefaultActions=[forward]))
        == "TargetGroupAssociationLimit"
    )
    elb.modify_listener(ListenerArn=own, DefaultActions=[forward])
