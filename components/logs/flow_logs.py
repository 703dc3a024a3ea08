"""FlowLogs: flow logs of a VPC that the stack creates."""

import pulumi
import pulumi_aws as aws

from ..context import Context
from ..encryption import CustomerKey, by_cloudwatch_logs
from ..policy_documents import allow, trusted_service
from ..service_role import service_role

KEPT_DAYS = 90
"""The same retention as for the load balancer's access logs."""


class FlowLogs(pulumi.ComponentResource):
    """A flow log of all traffic, into an encrypted log group."""

    def __init__(
        self, name: str, context: Context, vpc_id: pulumi.Input[str], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("atlantis:index:FlowLogs", name, None, opts)
        self._context = context
        self._child = pulumi.ResourceOptions(parent=self)
        names, tags = context.names, context.tags

        group = aws.cloudwatch.LogGroup(
            f"{name}-group",
            name=names.flow_log_group,
            kms_key_id=self._key().arn,
            retention_in_days=KEPT_DAYS,
            tags=tags,
            opts=self._child,
        )
        role, policy = self._role()
        aws.ec2.FlowLog(
            f"{name}-log",
            vpc_id=vpc_id,
            traffic_type="ALL",
            log_destination=group.arn,
            iam_role_arn=role.arn,
            tags=tags | {"Name": names.base},
            opts=pulumi.ResourceOptions(parent=self, depends_on=[policy]),
        )
        self.register_outputs({})

    def _key(self) -> CustomerKey:
        names = self._context.names
        return CustomerKey(
            f"{self.pulumi_resource_name}-key",
            self._context,
            store="flow-logs",
            description=f"Atlantis {names.environment}: flow logs of the VPC",
            users=[by_cloudwatch_logs(names, names.flow_log_group)],
            opts=self._child,
        )

    def _role(self) -> tuple[aws.iam.Role, aws.iam.RolePolicy]:
        names = self._context.names
        return service_role(
            f"{self.pulumi_resource_name}-role",
            self._context,
            physical_name=names.flow_log_role,
            purpose="writes the VPC's flow logs",
            # https://docs.aws.amazon.com/vpc/latest/userguide/flow-logs-iam-role.html
            trust=trusted_service(names, "vpc-flow-logs", names.arn("ec2", "vpc-flow-log/*")),
            policy_name="write-flow-logs",
            statements=[
                allow(
                    "WriteFlowLogs",
                    ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
                    [names.arn("logs", f"log-group:{names.flow_log_group}:*")],
                )
            ],
            opts=self._child,
        )
