"""Flow logs."""

from __future__ import annotations

from typing import Any, ClassVar

from sandbox.providers.aws.calls import Call
from sandbox.providers.aws.ec2 import Ec2Resource
from sandbox.providers.aws.listing import Listing
from sandbox.providers.resource import names
from sandbox.providers.values import Properties


class FlowLog(Ec2Resource):
    """A record of the connections in a VPC. The local AWS forgets the role and the interval: what the state says stands then."""

    sdk_name = "aws:ec2/flowLog:FlowLog"
    operation, made = "CreateFlowLogs", "FlowLogIds[0]"
    described: ClassVar = Call("describe_flow_logs", "FlowLogIds", "FlowLogs[0]")
    deleted: ClassVar = Call("delete_flow_logs", "FlowLogIds")
    listing: ClassVar = Listing("describe_flow_logs", "FlowLogs[].FlowLogId")
    kind = "vpc-flow-log"
    renamed: ClassVar = {"iamRoleArn": "DeliverLogsPermissionArn"}
    defaults: ClassVar = {"logDestinationType": "cloud-watch-logs", "maxAggregationInterval": 600}
    handled: ClassVar = names("vpcId tags")  # the local AWS ignores a flow log's tags at creation
    shown: ClassVar = {"vpcId": "ResourceId"}

    def parameters(self, inputs: Properties) -> dict[str, Any]:
        return {**super().parameters(inputs), "ResourceIds": [inputs["vpcId"]], "ResourceType": "VPC"}
