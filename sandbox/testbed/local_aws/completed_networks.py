"""Completes ministack's answers about networks with parameters that it accepts but doesn't return: endpoints, gateways, flow logs."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any
from xml.sax.saxutils import escape

from ministack.services import ec2

from sandbox.testbed.iam_evaluation import wire
from sandbox.testbed.local_aws.facts import FACTS


def install() -> None:
    """Install the changes. Must be called in ministack's process."""
    network: dict[str, Any] = ec2._ACTION_MAP
    for name in ("CreateVpcEndpoint", "ModifyVpcEndpoint"):
        network[name] = partial(_keep_endpoint, network[name])
    network["DeleteVpcEndpoints"] = partial(_delete_interfaces, network["DeleteVpcEndpoints"])
    ec2._VPCE_INTERFACE_SERVICES = tuple(dict.fromkeys([*ec2._VPCE_INTERFACE_SERVICES, *FACTS["interface_endpoints"]]))
    ec2._vpce_fields_xml = partial(_show_endpoint, ec2._vpce_fields_xml)
    network["CreateFlowLogs"] = partial(_keep_flow_log, network["CreateFlowLogs"])
    network["DescribeFlowLogs"] = partial(_show_flow_log, network["DescribeFlowLogs"])
    network["DescribeNatGateways"] = partial(_show_nat_addresses, network["DescribeNatGateways"])
    network["CreateCustomerGateway"] = partial(_keep_device_name, network["CreateCustomerGateway"])
    ec2._cgw_xml = partial(_show_device_name, ec2._cgw_xml)
    ec2._parse_tags = partial(_read_tags_of_creation, ec2._parse_tags)
    ec2._parse_filters = partial(_read_other_names, ec2._parse_filters)
    ec2._matches_subnet_filters = partial(_filter_by_zone_id, ec2._matches_subnet_filters)


def _read_other_names(own: Callable[..., dict[str, Any]], parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Read filters by their other names. ministack ignores a filter that it doesn't know, and returns everything."""
    return {FACTS["filters"].get(name, name): values for name, values in own(parameters).items()}


def _filter_by_zone_id(own: Callable[..., bool], subnet: Mapping[str, Any], filters: Mapping[str, Any]) -> bool:
    zones = filters.get("availability-zone-id")
    return own(subnet, filters) and (zones is None or subnet["AvailabilityZoneId"] in zones)


def _read_tags_of_creation(own: Callable[[Mapping[str, Any]], list[Any]], parameters: Mapping[str, Any]) -> list[Any]:
    """Read the tags of a creation, where ministack expects those of CreateTags: gateways and connections of VPNs."""
    prefix = "TagSpecification.1."
    given = {name.removeprefix(prefix): value for name, value in parameters.items() if name.startswith(prefix)}
    return own(parameters) or own(given)


def _keep_device_name(own: Callable[[Mapping[str, Any]], Any], parameters: Mapping[str, Any]) -> Any:
    known = set(ec2._customer_gateways)
    answer = own(parameters)
    for identity in set(ec2._customer_gateways) - known:
        ec2._customer_gateways[identity]["DeviceName"] = ec2._p(parameters, "DeviceName")
    return answer


def _show_device_name(own: Callable[..., str], gateway: Mapping[str, Any], tag: str = "item") -> str:
    name = gateway.get("DeviceName")
    return _with(own(gateway, tag), tag, f"<deviceName>{escape(name)}</deviceName>" if name else "")


def _with(shown: str, tag: str, more: str) -> str:
    head, end, _ = shown.rpartition(f"</{tag}>")
    return f"{head}{more}{end}"


def _keep_endpoint(own: Callable[[Mapping[str, Any]], Any], parameters: Mapping[str, Any]) -> Any:
    """Store an endpoint's policy, security groups and private DNS setting, and apply modifications of them."""
    known = set(ec2._vpc_endpoints)
    answer = own(parameters)
    named = ec2._p(parameters, "VpcEndpointId")
    for identity in [named] if named else [item for item in ec2._vpc_endpoints if item not in known]:
        endpoint = ec2._vpc_endpoints.get(identity)
        if endpoint is None:
            continue
        groups = [*endpoint.get("Groups", []), *ec2._parse_member_list(parameters, "SecurityGroupId")]
        groups += ec2._parse_member_list(parameters, "AddSecurityGroupId")
        removed = ec2._parse_member_list(parameters, "RemoveSecurityGroupId")
        endpoint["Groups"] = [group for group in dict.fromkeys(groups) if group not in removed]
        if policy := ec2._p(parameters, "PolicyDocument"):
            endpoint["PolicyDocument"] = policy
        if private := ec2._p(parameters, "PrivateDnsEnabled"):
            endpoint["PrivateDns"] = private.lower()
        endpoint["DnsOptions"] = endpoint.get("DnsOptions", {}) | {
            name: value for name in _DNS_OPTIONS if (value := ec2._p(parameters, f"DnsOptions.{name}"))
        }
        if not named:
            endpoint["Interfaces"] = _interfaces(parameters, identity, groups)
    return answer


def _show_endpoint(own: Callable[..., str], endpoint: Mapping[str, Any], tag: str = "item") -> str:
    groups = "".join(
        f"<item><groupId>{group}</groupId><groupName>{_group_name(group)}</groupName></item>"
        for group in endpoint.get("Groups", [])
    )
    more = f"<groupSet>{groups}</groupSet><privateDnsEnabled>{endpoint.get('PrivateDns', 'false')}</privateDnsEnabled>"
    more += f"<policyDocument>{escape(policy)}</policyDocument>" if (policy := endpoint.get("PolicyDocument")) else ""
    options = "".join(_element(name, value) for name, value in endpoint.get("DnsOptions", {}).items())
    interfaces = "".join(f"<item>{identity}</item>" for identity in endpoint.get("Interfaces", []))
    more += f"<dnsOptions>{options}</dnsOptions>" if options else ""
    more += f"<networkInterfaceIdSet>{interfaces}</networkInterfaceIdSet>" if interfaces else ""
    return _with(own(endpoint, tag), tag, more)


def _interfaces(parameters: Mapping[str, Any], endpoint: str, groups: list[str]) -> list[str]:
    """Create the interfaces of a new endpoint whose addresses are given, as its creation does."""
    made: list[str] = []
    for given in wire.form_parameters("ec2", parameters).get("SubnetConfigurations", []):
        known = set(ec2._network_interfaces)
        described = {"SubnetId": given["SubnetId"], "Description": f"VPC Endpoint Interface {endpoint}"}
        ec2._create_network_interface(
            described | {f"SecurityGroupId.{at}": group for at, group in enumerate(groups, 1)}
        )
        (interface,) = set(ec2._network_interfaces) - known
        if "Ipv4" in given:
            ec2._network_interfaces[interface]["PrivateIpAddress"] = given["Ipv4"]
        made.append(interface)
    return made


def _delete_interfaces(own: Callable[[Mapping[str, Any]], Any], parameters: Mapping[str, Any]) -> Any:
    for identity in ec2._parse_member_list(parameters, "VpcEndpointId"):
        for interface in (ec2._vpc_endpoints.get(identity) or {}).get("Interfaces", []):
            ec2._network_interfaces.pop(interface, None)
    return own(parameters)


def _element(name: str, value: str) -> str:
    """An element of EC2's answers, whose names begin with a small letter."""
    tag = f"{name[0].lower()}{name[1:]}"
    return f"<{tag}>{escape(value)}</{tag}>"


_DNS_OPTIONS = ("DnsRecordIpType", "PrivateDnsOnlyForInboundResolverEndpoint")
_FLOW_LOG = {"DeliverLogsPermissionArn": "", "MaxAggregationInterval": "600", "LogFormat": ""}
"""Parameters of a flow log that ministack drops, with AWS' defaults."""


def _keep_flow_log(own: Callable[[Mapping[str, Any]], Any], parameters: Mapping[str, Any]) -> Any:
    known = set(ec2._flow_logs)
    answer = own(parameters)
    for identity in set(ec2._flow_logs) - known:
        ec2._flow_logs[identity] |= {name: ec2._p(parameters, name) or value for name, value in _FLOW_LOG.items()}
        # ministack reads the tags of another resource type.
        ec2._parse_tag_specs(parameters, "vpc-flow-log", identity)
    return answer


def _show_flow_log(own: Callable[[Mapping[str, Any]], Any], parameters: Mapping[str, Any]) -> Any:
    status, headers, body = own(parameters)
    text = body.decode()
    for identity, log in ec2._flow_logs.items():
        more = "".join(_element(name, value) for name in _FLOW_LOG if (value := log.get(name)))
        text = text.replace(f"<flowLogId>{identity}</flowLogId>", f"<flowLogId>{identity}</flowLogId>{more}")
    return status, headers, text.encode()


def _show_nat_addresses(own: Callable[[Mapping[str, Any]], Any], parameters: Mapping[str, Any]) -> Any:
    """Return the address of a NAT gateway, which ministack stores."""
    status, headers, body = own(parameters)
    first, *gateways = body.decode().split("<natGatewayId>")
    for at, gateway in enumerate(gateways):
        allocation = (ec2._nat_gateways.get(gateway.partition("<")[0]) or {}).get("AllocationId")
        address = (ec2._addresses.get(allocation) or {}).get("PublicIp", "")
        item = f"<item><allocationId>{allocation}</allocationId>{_element('PublicIp', address)}<isPrimary>true</isPrimary></item>"
        if allocation:
            shown = f"<natGatewayAddressSet>{item}</natGatewayAddressSet>"
            gateways[at] = gateway.replace("<natGatewayAddressSet/>", shown)
    return status, headers, "<natGatewayId>".join([first, *gateways]).encode()


def _group_name(group: str) -> str:
    return escape((ec2._security_groups.get(group) or {}).get("GroupName", ""))
