"""Flow logs."""

from __future__ import annotations

from typing import Any, ClassVar

from sandbox.providers.aws.base import only
from sandbox.providers.aws.ec2 import Ec2Resource
from sandbox.providers.aws.listing import Listing
from sandbox.providers.resource import Created
from sandbox.providers.values import Properties


class FlowLog(Ec2Resource):
    """A record of the connections in a VPC."""

    sdk_name = "aws:ec2/flowLog:FlowLog"
    operation = "CreateFlowLogs"
    listing: ClassVar = Listing("describe_flow_logs", "FlowLogs[].FlowLogId")
    kind = "vpc-flow-log"
    renamed: ClassVar = {"iamRoleArn": "DeliverLogsPermissionArn"}
    defaults: ClassVar = {"logDestinationType": "cloud-watch-logs", "maxAggregationInterval": 600}
    handled: ClassVar = frozenset({"vpcId"})

    def create(self, inputs: Properties) -> Created:
        """One for the VPC."""
        answer = self.client.create_flow_logs(
            **self.request(inputs),
            ResourceIds=[inputs["vpcId"]],
            ResourceType="VPC",
        )
        for failed in answer.get("Unsuccessful", []):
            raise RuntimeError(f"{failed['ResourceId']}: {failed['Error']['Code']}: {failed['Error']['Message']}")
        identity = only(answer["FlowLogIds"])
        # The local AWS ignores a flow log's tags at creation.
        self.retag(identity, inputs)
        return Created(identity)

    def describe(self, identity: str, state: Properties) -> Properties | None:
        """The local AWS forgets the role and the interval: what the state says stands then."""
        del state
        found: list[dict[str, Any]] = self.client.describe_flow_logs(FlowLogIds=[identity])["FlowLogs"]
        if not found:
            return None
        return {**self.common(found[0], identity), "vpcId": found[0]["ResourceId"]}

    def remove(self, identity: str, state: Properties) -> None:
        """What was recorded stays."""
        del state
        self.client.delete_flow_logs(FlowLogIds=[identity])
