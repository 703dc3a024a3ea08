"""Parts of a substitute for an existing network that depend on what is there."""

from sandbox.substitutes.made import made
from sandbox.testbed.local_aws.instance import LocalAws

VPC_RANGE = "10.32.0.0/16"


def subnet(aws: LocalAws, vpc: str, first: int, index: int, table: str) -> str:
    """Subnet number ``index``, in the first free range from ``first``. Consecutive subnets are in different Availability Zones."""
    ec2 = aws.client("ec2")
    zones = [zone["ZoneName"] for zone in ec2.describe_availability_zones()["AvailabilityZones"]]
    # The stack file may have named other subnets before, whose substitutes stay.
    others = ec2.describe_subnets(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["Subnets"]
    taken = {other["CidrBlock"] for other in others}
    blocks = (f"{VPC_RANGE.rsplit('.', 2)[0]}.{number}.0/24" for number in range(first + index, 256))
    block = next(block for block in blocks if block not in taken)
    return made(aws, "subnet", vpc=vpc, block=block, zone=zones[index % len(zones)], table=table)


def egress_rule(aws: LocalAws, group: str) -> str:
    """The rule with which EC2 lets a new group send to everywhere; its ID."""
    filters = [{"Name": "group-id", "Values": [group]}]
    rules = aws.client("ec2").describe_security_group_rules(Filters=filters)["SecurityGroupRules"]
    return next(rule["SecurityGroupRuleId"] for rule in rules if rule["IsEgress"])
