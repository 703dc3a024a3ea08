"""Flow logs: only of a VPC that the stack creates."""

from tests.unit.recording import ACCOUNT, REGION
from tests.unit.stacks import arn, stack

FLOW_LOG, GROUP, ROLE = "aws:ec2/flowLog:FlowLog", "aws:cloudwatch/logGroup:LogGroup", "aws:iam/role:Role"


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
