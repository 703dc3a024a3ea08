"""VPC endpoints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from sandbox.providers.aws.calls import Call
from sandbox.providers.aws.ec2 import Ec2Resource
from sandbox.providers.aws.listing import Listing, in_vpc
from sandbox.providers.resource import names
from sandbox.providers.values import Properties

_MEMBERSHIPS = {"routeTableIds": "RouteTableIds", "securityGroupIds": "SecurityGroupIds", "subnetIds": "SubnetIds"}
_GATEWAY_ONLY = names("routeTableIds")
_INTERFACE_ONLY = names("securityGroupIds subnetIds privateDnsEnabled")


class VpcEndpoint(Ec2Resource):
    """A private way to a service: an interface in subnets, or a gateway in route tables."""

    sdk_name = "aws:ec2/vpcEndpoint:VpcEndpoint"
    operation, made = "CreateVpcEndpoint", "VpcEndpoint.VpcEndpointId"
    described: ClassVar = Call("describe_vpc_endpoints", "VpcEndpointIds", "VpcEndpoints[0]")
    available = ("State", "available")
    listing: ClassVar = Listing(
        "describe_vpc_endpoints", "VpcEndpoints[?State!='deleted'].VpcEndpointId", "aws:ec2/vpc:Vpc", in_vpc
    )
    kind = "vpc-endpoint"
    renamed: ClassVar = {"policy": "PolicyDocument"}
    defaults: ClassVar = {"vpcEndpointType": "Gateway"}
    in_place: ClassVar = frozenset({*_MEMBERSHIPS, "policy", "privateDnsEnabled", "ipAddressType", "dnsOptions"})
    computed: ClassVar = in_place
    unordered: ClassVar = frozenset(_MEMBERSHIPS)
    documents: ClassVar = frozenset({"policy"})

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        yield from super().rules(inputs)
        kind = inputs.get("vpcEndpointType")
        wrong = _INTERFACE_ONLY if kind == "Gateway" else _GATEWAY_ONLY if kind == "Interface" else frozenset()
        for name in sorted(name for name in wrong if inputs.get(name)):
            yield name, f"an endpoint of type {kind} has none"

    def update(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        """Memberships are changed by what is added and removed."""
        parameters = self.request(inputs, "ModifyVpcEndpoint", only=changed & self.in_place - _MEMBERSHIPS.keys())
        if "policy" in changed and not inputs.get("policy"):
            parameters["ResetPolicy"] = True
        endpoint = self.describe(identity, inputs) or {}
        for name, api in _MEMBERSHIPS.items():
            if name in changed:
                wanted, current = set(inputs.get(name) or []), set(endpoint.get(name) or [])
                parameters |= {f"Add{api}": sorted(wanted - current)} if wanted - current else {}
                parameters |= {f"Remove{api}": sorted(current - wanted)} if current - wanted else {}
        if parameters:
            self.client.modify_vpc_endpoint(VpcEndpointId=identity, **parameters)
            self.wait_for(identity)

    def describe(self, identity: str, state: Properties) -> Properties | None:
        """With the addresses and names under which the service is reached."""
        endpoint = self.found(identity)
        if str(endpoint["State"]).lower() in ("deleted", "deleting"):
            return None
        found = self.common(endpoint, identity, "networkInterfaceIds", "ownerId", "requesterManaged", "state")
        if "Groups" in endpoint:  # the local AWS forgets them: what the state says stands then
            found["securityGroupIds"] = [group["GroupId"] for group in endpoint["Groups"]]
        found["dnsEntries"] = [
            {"dnsName": entry.get("DnsName"), "hostedZoneId": entry.get("HostedZoneId")}
            for entry in endpoint.get("DnsEntries", [])
        ]
        if endpoint.get("VpcEndpointType") == "Gateway":
            found |= {"privateDnsEnabled": False, "securityGroupIds": [], "subnetIds": []}
            found |= self._prefix_list(endpoint["ServiceName"])
        else:
            found["routeTableIds"] = []
        return found

    def _prefix_list(self, service: str) -> Properties:
        filters = [{"Name": "prefix-list-name", "Values": [service]}]
        lists = self.client.describe_prefix_lists(Filters=filters)["PrefixLists"]
        return {"prefixListId": lists[0]["PrefixListId"], "cidrBlocks": lists[0].get("Cidrs", [])} if lists else {}

    def remove(self, identity: str, state: Properties) -> None:
        """Its interfaces keep the subnets busy until it is gone."""
        answer = self.client.delete_vpc_endpoints(VpcEndpointIds=[identity])
        for failed in answer.get("Unsuccessful", []):
            if "NotFound" not in failed["Error"]["Code"]:
                raise RuntimeError(f"{identity}: {failed['Error']['Code']}: {failed['Error'].get('Message', '')}")
        self.backend.wait(f"deletion of {identity}", lambda: self.read(identity, state) is None)
