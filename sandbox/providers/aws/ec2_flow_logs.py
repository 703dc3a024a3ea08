"""Flow logs."""

from __future__ import annotations

from typing import Any, ClassVar

from sandbox.providers.aws.calls import Call
from sandbox.providers.aws.ec2 import Ec2Resource
from sandbox.providers.aws.listing import Listing
from sandbox.providers.resource import Created
from sandbox.providers.values import Properties


class FlowLog(Ec2Resource):
    """A record of the connections in a VPC."""

    sdk_name = "aws:ec2/flowLog:FlowLog"
    operation = "CreateFlowLogs"
    described: ClassVar = Call("describe_flow_logs", "FlowLogIds", "FlowLogs[0]")
    deleted: ClassVar = Call("delete_flow_logs", "FlowLogIds")
    listing: ClassVar = Listing("describe_flow_logs", "FlowLogs[].FlowLogId")
    kind = "vpc-flow-log"
    renamed: ClassVar = {"iamRoleArn": "DeliverLogsPermissionArn"}
    defaults: ClassVar = {"logDestinationType": "cloud-watch-logs", "maxAggregationInterval": 600}
    handled: ClassVar = frozenset({"vpcId"})

    def create(self, inputs: Properties) -> Created:
        """The local AWS ignores a flow log's tags at creation."""
        answer = self.client.create_flow_logs(**self.parameters(inputs))
        for failed in answer.get("Unsuccessful", []):
            raise RuntimeError(f"{failed['ResourceId']}: {failed['Error']['Code']}: {failed['Error']['Message']}")
        identity = answer["FlowLogIds"][0]
        self.retag(identity, inputs)
        return Created(identity)

    def parameters(self, inputs: Properties) -> dict[str, Any]:
        return {**self.request(inputs), "ResourceIds": [inputs["vpcId"]], "ResourceType": "VPC"}

    def describe(self, identity: str, state: Properties) -> Properties | None:
        """The local AWS forgets the role and the interval: what the state says stands then."""
        found = self.found(identity)
        return {**self.common(found, identity), "vpcId": found["ResourceId"]}
