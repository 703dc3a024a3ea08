"""Completes ministack's responses with parameters that it accepts but doesn't return.

Clients read them to detect changes.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from http import HTTPStatus
from typing import Any
from xml.sax.saxutils import escape

from ministack.core.responses import error_response_json, get_region, json_response
from ministack.services import alb, cloudwatch, cloudwatch_logs, ec2, ecs, efs, elasticache, firehose, route53, ssm

from sandbox.testbed.iam_evaluation import wire
from sandbox.testbed.local_aws.facts import FACTS


def install() -> None:
    """Install the changes. Must be called in ministack's process."""
    containers: dict[str, Any] = ecs._ACTION_MAP
    for name in ("CreateService", "UpdateService"):
        containers[name] = partial(_keep_service_options, containers[name])
    alb._lb_xml = partial(_show_vpc, alb._lb_xml)
    balancers: dict[str, Any] = alb._ACTION_MAP
    balancers["DescribeListenerCertificates"] = _listener_certificates
    efs.handle_request = partial(_read_every_tag_key, efs.handle_request)
    elasticache._create_replication_group = partial(_keep_replication_group, elasticache._create_replication_group)
    elasticache._rg_xml = partial(_show_replication_group, elasticache._rg_xml)
    elasticache._cluster_xml_inner = partial(_show_node, elasticache._cluster_xml_inner)
    firehose._dest_description = partial(_show_destination, firehose._dest_description)
    alb._parse_conditions = partial(_keep_query_strings, alb._parse_conditions)
    alb._condition_xml = partial(_show_query_strings, alb._condition_xml)
    ssm._public_parameter = partial(_more_public_parameters, ssm._public_parameter)
    cloudwatch._describe_alarms = partial(_show_alarms, cloudwatch._describe_alarms)
    cloudwatch_logs.handle_request = partial(_change_key_of_log_group, cloudwatch_logs.handle_request)
    route53.handle_request = partial(_dnssec, route53.handle_request)


def _more_public_parameters(own: Callable[[str], Any], name: str) -> Any:
    if (value := FACTS["public_parameters"].get(name)) is None:
        return own(name)
    arn = f"arn:aws:ssm:{get_region()}::parameter{name}"
    value = value.format(region=get_region())
    return {
        "Name": name,
        "Type": "String",
        "Value": value,
        "Version": 1,
        "LastModifiedDate": 1728518400,
        "ARN": arn,
    }


def _keep_query_strings(
    own: Callable[..., list[dict[str, Any]]], parameters: Mapping[str, Any], prefix: str = "Conditions"
) -> list[dict[str, Any]]:
    """Store the pairs of a rule's condition on the query string. Terraform's provider crashes without them."""
    conditions = own(parameters, prefix)
    given = wire.form_parameters("elbv2", parameters).get(prefix, [])
    for condition, asked in zip(conditions, given, strict=False):
        if pairs := asked.get("QueryStringConfig", {}).get("Values"):
            condition["QueryStringConfig"] = {"Values": pairs}
            # ministack compares these.
            condition["Values"] = [
                f"{pair['Key']}={pair['Value']}" if "Key" in pair else pair["Value"] for pair in pairs
            ]
    return conditions


def _show_query_strings(own: Callable[[dict[str, Any]], str], condition: dict[str, Any]) -> str:
    pairs = condition.get("QueryStringConfig")
    if not pairs:
        return own(condition)
    head, end, _ = own({**condition, "Values": []}).rpartition("</member>")
    return f"{head}<QueryStringConfig>{_xml(pairs)}</QueryStringConfig>{end}"


def _show_vpc(own: Callable[[dict[str, Any]], str], balancer: dict[str, Any]) -> str:
    """A load balancer is in the VPC of its subnets. ministack returns a constant, which target groups and clients compare."""
    found = (ec2._subnets.get(subnet) for subnet in balancer["Subnets"])
    vpc = next((subnet["VpcId"] for subnet in found if subnet), balancer["VpcId"])
    return own({**balancer, "VpcId": vpc})


def _listener_certificates(parameters: Mapping[str, Any]) -> Any:
    """The certificate that a listener was created with, as its only one."""
    listener = alb._listeners.get(alb._p(parameters, "ListenerArn"))
    if listener is None:
        return alb._error("ListenerNotFound", "One or more listeners not found", 400)
    members = "".join(
        f"<member><CertificateArn>{escape(arn)}</CertificateArn><IsDefault>true</IsDefault></member>"
        for arn in listener.get("Certificates", [])
    )
    return alb._xml(200, "DescribeListenerCertificates", f"<Certificates>{members}</Certificates>")


_SERVICE_OPTIONS = ("availabilityZoneRebalancing", "enableECSManagedTags", "propagateTags")


def _keep_service_options(own: Callable[[dict[str, Any]], Any], data: dict[str, Any]) -> Any:
    """Store the options of a service that ministack drops.

    An update keeps the parts of the deployment configuration that it omits.
    """
    if deployment := data.get("deploymentConfiguration"):
        data = data | {"deploymentConfiguration": _deployment_of(data) | deployment}
    status, headers, body = own(data)
    given = {name: data[name] for name in _SERVICE_OPTIONS if data.get(name) is not None}
    if status != 200 or not given:
        return status, headers, body
    answer = json.loads(body)
    for service in ecs._services.values():
        if service["serviceArn"] == answer["service"]["serviceArn"]:
            service.update(given)
    answer["service"].update(given)
    return status, headers, json.dumps(answer).encode()


def _deployment_of(update: Mapping[str, Any]) -> dict[str, Any]:
    """The current deployment configuration of the service in an update; empty for a creation."""
    cluster = ecs._resolve_cluster_name(update.get("cluster"))
    name, own_cluster = ecs._resolve_service_ref(update.get("service")) or ("", None)
    service = ecs._services.get(f"{own_cluster or cluster}/{name}") or {}
    return dict(service.get("deploymentConfiguration") or {})


async def _read_every_tag_key(  # noqa: PLR0917 - ministack's own signature
    own: Callable[..., Awaitable[Any]], method: str, path: str, headers: Any, body: Any, query: Mapping[str, Any]
) -> Any:
    """Pass all `tagKeys` to ministack. Clients repeat the parameter per tag, and ministack reads only the first one."""
    keys = query.get("tagKeys")
    return await own(method, path, headers, body, {**query, "tagKeys": [",".join(keys)]} if keys else query)


async def _dnssec(  # noqa: PLR0917 - ministack's own signature
    own: Callable[..., Awaitable[Any]], method: str, path: str, headers: Any, body: Any, query: Mapping[str, Any]
) -> Any:
    """Say that a zone isn't signed. Terraform asks before it deletes a zone with its records."""
    zone, _, call = path.rpartition("/")
    if method != "GET" or call != "dnssec":
        return await own(method, path, headers, body, query)
    found = await own(method, zone, headers, body, query)
    if found[0] != HTTPStatus.OK:
        return found
    status = "<Status><ServeSignature>NOT_SIGNING</ServeSignature></Status><KeySigningKeys/>"
    return found[0], found[1], f"<GetDNSSECResponse>{status}</GetDNSSECResponse>".encode()


def _show_destination(own: Callable[[dict[str, Any]], dict[str, Any]], destination: dict[str, Any]) -> dict[str, Any]:
    """Return the time zone and the file extension of a delivery stream's objects."""
    answer = own(destination)
    for kind in answer.keys() & {"ExtendedS3DestinationDescription"}:
        for name in destination["config"].keys() & {"CustomTimeZone", "FileExtension"}:
            answer[kind][name] = destination["config"][name]
    return answer


def _keep_replication_group(own: Callable[[Mapping[str, Any]], Any], parameters: Mapping[str, Any]) -> Any:
    answer = own(parameters)
    group = elasticache._replication_groups.get(elasticache._p(parameters, "ReplicationGroupId"))
    if answer[0] == 200 and group is not None:
        group["KmsKeyId"] = elasticache._p(parameters, "KmsKeyId")
    return answer


def _show_replication_group(own: Callable[[Mapping[str, Any]], str], group: Mapping[str, Any]) -> str:
    key = group.get("KmsKeyId")
    return own(group) + (f"<KmsKeyId>{key}</KmsKeyId>" if key else "")


def _show_node(own: Callable[[Mapping[str, Any]], str], node: Mapping[str, Any]) -> str:
    upgrade = str(node.get("AutoMinorVersionUpgrade", True)).lower()
    return f"{own(node)}<AutoMinorVersionUpgrade>{upgrade}</AutoMinorVersionUpgrade>"


def _show_alarms(own: Callable[..., Any], parameters: Any, data: Any, is_cbor: bool, is_json: bool = False) -> Any:
    """Return all values of the JSON response in the XML response too. The provider's client uses XML."""
    if is_cbor or is_json:
        return own(parameters, data, is_cbor, is_json)
    status, _, body = own({}, wire.form_parameters("cloudwatch", parameters), False, True)
    if status != 200:
        return own(parameters, data, is_cbor, is_json)
    return cloudwatch._xml(
        200, "DescribeAlarmsResponse", f"<DescribeAlarmsResult>{_xml(json.loads(body))}</DescribeAlarmsResult>"
    )


def _xml(value: Any) -> str:
    if isinstance(value, dict):
        # Timestamps are numbers in JSON, and clients don't read an alarm's timestamps.
        shown = {key: item for key, item in value.items() if item is not None and not key.endswith("Timestamp")}
        return "".join(f"<{key}>{_xml(item)}</{key}>" for key, item in shown.items())
    if isinstance(value, list):
        return "".join(f"<member>{_xml(item)}</member>" for item in value)
    return escape(str(value).lower() if isinstance(value, bool) else str(value))


async def _change_key_of_log_group(  # noqa: PLR0917 - ministack's own signature
    own: Callable[..., Awaitable[Any]], method: str, path: str, headers: Mapping[str, str], body: bytes, query: Any
) -> Any:
    """Handle ``AssociateKmsKey`` and ``DisassociateKmsKey``. ministack supports a key of a log group only at creation."""
    if headers.get("x-amz-target", "").rpartition(".")[2] not in ("AssociateKmsKey", "DisassociateKmsKey"):
        return await own(method, path, headers, body, query)
    asked = json.loads(body)
    group = cloudwatch_logs._log_groups.get(asked.get("logGroupName"))
    if group is None:
        return error_response_json("ResourceNotFoundException", "The specified log group does not exist.", 400)
    # DisassociateKmsKey has no key.
    group["kmsKeyId"] = asked.get("kmsKeyId")
    return json_response({})
