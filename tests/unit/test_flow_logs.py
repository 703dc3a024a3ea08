"""Flow logs: only of a VPC that the stack creates."""

from tests.unit.recording import ACCOUNT, REGION, arn_of
from tests.unit.stacks import PRODUCTION, TAGS, arn, stack, tagged

FLOW_LOG, GROUP, ROLE = "aws:ec2/flowLog:FlowLog", "aws:cloudwatch/logGroup:LogGroup", "aws:iam/role:Role"


def test_all_traffic_of_a_new_vpc_is_recorded_in_an_encrypted_group_for_ninety_days() -> None:
    graph = stack()
    log = graph.one(FLOW_LOG)
    assert log.inputs == {
        "vpcId": "vpc-new",
        "trafficType": "ALL",
        "logDestination": arn_of("vpc-flow-group"),
        "iamRoleArn": arn_of("vpc-flow-role"),
        "tags": tagged("atlantis-prod"),
    }
    assert "vpc-flow-role-policy" in log.depends_on
    assert graph.one(GROUP, "vpc-flow-group").inputs == {
        "name": "/vpc/atlantis-prod",
        "kmsKeyId": arn_of("vpc-flow-key"),
        "retentionInDays": 90,
        "tags": TAGS,
    }


def test_only_this_account_s_flow_logs_write_and_only_into_their_group() -> None:
    graph = stack()
    assert graph.one(ROLE, "vpc-flow-role").decoded["assumeRolePolicy"]["Statement"] == [
        {
            "Effect": "Allow",
            "Principal": {"Service": "vpc-flow-logs.amazonaws.com"},
            "Action": "sts:AssumeRole",
            "Condition": {
                "StringEquals": {"aws:SourceAccount": ACCOUNT},
                "ArnLike": {"aws:SourceArn": f"arn:aws:ec2:{REGION}:{ACCOUNT}:vpc-flow-log/*"},
            },
        }
    ]
    assert graph.one("aws:iam/rolePolicy:RolePolicy", "vpc-flow-role-policy").document() == [
        {
            "Sid": "WriteFlowLogs",
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
            "Resource": [arn("logs", "log-group:/vpc/atlantis-prod:*")],
        }
    ]


def test_an_existing_vpc_has_the_flow_logs_of_its_owner() -> None:
    assert stack(**PRODUCTION).all(FLOW_LOG) == []
