"""What older providers keep as attributes: it is named with the command that removes it."""

from tests.adoption.plans import plan, proposed
from tests.adoption.states import ALB, TASKS, VPC, State, add, find, role_arn, small_state

NAME = "atlantis-ecs-task-prod"
ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"
READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"


def _adopted_role(**attributes: object) -> State:
    state = small_state()
    find(state, "aws_iam_role.tasks").update(id=NAME, name=NAME, arn=role_arn(NAME), **attributes)
    find(state, "aws_ecs_task_definition.this")["task_role_arn"] = role_arn(NAME)
    return state


def test_policies_that_are_attributes_of_an_adopted_role_are_named_with_their_command() -> None:
    policies = {"inline_policy": [{"name": "state", "policy": "{}"}], "managed_policy_arns": [ADMINISTRATOR]}
    notes = plan(_adopted_role(**policies)).notes
    assert sum(f"`aws iam delete-role-policy --role-name {NAME} --policy-name state`" in note for note in notes) == 1
    assert (
        sum(f"`aws iam detach-role-policy --role-name {NAME} --policy-arn {ADMINISTRATOR}`" in note for note in notes)
        == 1
    )


def test_policies_that_are_resources_too_are_named_once() -> None:
    state = _adopted_role(inline_policy=[{"name": "state", "policy": "{}"}], managed_policy_arns=[ADMINISTRATOR])
    add(state, "aws_iam_role_policy.state", {"id": f"{NAME}:state", "role": NAME, "name": "state", "policy": "{}"})
    add(state, "aws_iam_policy_attachment.all", {"id": "all", "policy_arn": ADMINISTRATOR, "roles": [NAME]})
    others = {"id": "others", "policy_arn": ADMINISTRATOR, "roles": ["other"]}
    add(state, "aws_iam_policy_attachment.others", others)
    add(state, "aws_iam_policy_attachment.both", others | {"roles": [NAME, "other"]})
    add(state, "aws_iam_policy_attachment.kept", {"id": "kept", "policy_arn": READ_ONLY, "roles": [NAME]})
    found = plan(state)
    assert not [note for note in found.notes if "aws iam" in note]
    left = {actual.address: advice for actual, advice in found.left}
    assert f"`aws iam delete-role-policy --role-name {NAME} --policy-name state`" in left["aws_iam_role_policy.state"]
    assert f"--role-name {NAME} --policy-arn {ADMINISTRATOR}`" in left["aws_iam_policy_attachment.all"]
    assert left["aws_iam_policy_attachment.kept"].startswith("The program attaches it to the same role: ")
    assert left["aws_iam_policy_attachment.others"] == "Not part of the adopted Atlantis: keep it"
    assert left["aws_iam_policy_attachment.both"].endswith(f"remove {NAME} from its roles in Terraform: keep it")


def test_a_rule_with_several_ranges_is_proposed_and_revoked_range_by_range() -> None:
    state = small_state()
    rule = {
        "id": "sgrule-1",
        "security_group_rule_id": "",
        "type": "ingress",
        "security_group_id": ALB,
        "protocol": "tcp",
    }
    ranges = {"cidr_blocks": ["192.0.2.0/25", "192.0.2.128/25"], "ipv6_cidr_blocks": ["2001:db8::/32"]}
    add(state, "aws_security_group_rule.https", {**rule, **ranges, "from_port": 443, "to_port": 443})
    found = plan(state)
    assert proposed(found)["allowedCidrBlocks"] == ["192.0.2.0/25", "192.0.2.128/25", "2001:db8::/32", "203.0.113.0/24"]
    (advice,) = [advice for actual, advice in found.left if actual.type == "aws_security_group_rule"]
    command = f"`aws ec2 revoke-security-group-ingress --group-id {ALB} --ip-permissions 'IpProtocol=tcp,FromPort=443,ToPort=443,"
    assert f"{command}IpRanges=[{{CidrIp=192.0.2.128/25}}]'`" in advice
    assert f"{command}Ipv6Ranges=[{{CidrIpv6=2001:db8::/32}}]'`" in advice
    # The program's rule for one of the ranges would be the same rule a second time.
    assert any("192.0.2.0/25: " in problem and "aws_security_group_rule.https" in problem for problem in found.problems)


def test_a_rule_that_is_a_block_of_an_adopted_group_is_named() -> None:
    state = small_state()
    block = {"protocol": "-1", "from_port": 0, "to_port": 0, "cidr_blocks": ["0.0.0.0/0"], "security_groups": []}
    find(state, "aws_security_group.tasks")["egress"] = [block]
    command = f"aws ec2 revoke-security-group-egress --group-id {TASKS} --ip-permissions"
    assert any(f"`{command} 'IpProtocol=-1,IpRanges=[{{CidrIp=0.0.0.0/0}}]'`" in note for note in plan(state).notes)


def test_a_group_that_the_program_replaces_is_deleted_and_one_of_others_is_kept() -> None:
    state, old, others = small_state(), "sg-0aa0bb0cc0dd0ee37", "sg-0aa0bb0cc0dd0ee38"
    find(state, "aws_lb.this")["security_groups"] = [ALB, old]
    for name, group in (("old", old), ("others", others)):
        add(
            state, f"aws_security_group.{name}", {"id": group, "name": name, "vpc_id": VPC, "ingress": [], "egress": []}
        )
        rule = {"id": f"sgr-{name}", "security_group_id": group, "ip_protocol": "tcp", "from_port": 80, "to_port": 80}
        add(state, f"aws_vpc_security_group_ingress_rule.{name}", rule | {"cidr_ipv4": "10.0.0.0/8"})
    found = plan(state)
    left = {actual.address: advice for actual, advice in found.left}
    for address, group in (("aws_security_group.old", old), ("module.atlantis.aws_security_group.alb", ALB)):
        assert f"`aws ec2 delete-security-group --group-id {group}`" in left[address]
    assert left["aws_vpc_security_group_ingress_rule.old"] == "It is deleted with its group"
    for address in ("aws_security_group.others", "aws_vpc_security_group_ingress_rule.others"):
        assert left[address] == "Not part of the adopted Atlantis: keep it"
        assert address not in found.to_forget
