"""Every operation of a service is evaluated on resources of all types that the service authorization reference requires.

The operations and their parameters come from botocore's models, and the resource types of their actions from the reference, so
neither depends on the code under test.
"""

import re
from collections.abc import Iterator
from typing import Any

import botocore.loaders
from botocore.model import ServiceModel

from sandbox.testbed.iam_evaluation.api_call import ApiCall, ExistingResources
from sandbox.testbed.iam_evaluation.authorizations import authorizations
from sandbox.testbed.iam_evaluation.evaluator import Evaluator, Reference
from sandbox.testbed.iam_evaluation.resource_arns import UNNAMED
from tests.tables import table

ACCOUNT, REGION = "123456789012", "ap-northeast-2"
SERVICES = table(__file__, "services")
"""Services of which every operation is checked. S3, whose requests are named by their path, has a separate test."""
PREFIXES = {"efs": "elasticfilesystem", "elbv2": "elasticloadbalancing"}
EC2 = re.compile(
    "(Allocate|Associate|Attach|Authorize|Create|Delete|Describe|Detach|Disassociate|Enable|Modify|Release|Replace|Revoke|Run|Terminate|Update)"
    "(AccountAttributes|Address(es)?|AvailabilityZones|CustomerGateway|DhcpOptions|EgressOnlyInternetGateway|FlowLogs|Instances"
    "|InternetGateways?|LaunchTemplate(Version)?|NatGateways?|NetworkAcls?(Entry|Association)?|NetworkInterfaces?|PrefixLists|Route"
    "|RouteTables?(Association)?|SecurityGroup(Egress|Ingress|RuleDescriptionsIngress|Rules|s)?|Subnets?(Attribute)?|VgwRoutePropagation"
    "|Vpcs?(Attribute|CidrBlock|Endpoints?|EndpointServices|PeeringConnection)?|VpnGateway)"
)
"""What the official Terraform provider calls for networks, security groups, endpoints and instances."""

UNNAMED_BY_THE_CALL = table(__file__, "unnamed_by_the_call")
"""Operations whose call doesn't name the resource, and why."""
OTHER_FORM = {
    "elasticloadbalancing:CreateLoadBalancer": "the reference's data lack the ARNs of application and network load balancers",
}
"""Operations with an ARN that the reference's data lack."""


def operations() -> Iterator[tuple[str, Any]]:
    loader = botocore.loaders.Loader()
    for name in (*SERVICES, "ec2"):
        model: Any = ServiceModel(loader.load_service_model(name, "service-2"), name)
        for operation in model.operation_names:
            if name == "ec2" and not EC2.fullmatch(operation):
                continue
            yield PREFIXES.get(name, name), model.operation_model(operation)


def sample(described: Reference, operation: Any) -> dict[str, Any]:
    """A value for each parameter that can name a resource, also in structures and in lists of them."""
    known = {"Partition": "aws", "Region": REGION, "Account": ACCOUNT}
    arn = re.sub(r"\$\{(\w+)\}", lambda found: known.get(found[1], "sample"), described.types[0].arn)
    service = described.types[0].arn.split(":")[2]

    def value(name: str) -> str:
        # ARNs in EC2's parameters name resources of other services.
        if name.lower().endswith(("arn", "arns", "arnlist")) and service != "ec2":
            return arn
        known_forms = {
            "QueueUrl": f"https://host/{ACCOUNT}/sample",
            "AliasName": "alias/sample",
            "ResourceIds": "vpc-sample",
            "ResourceType": "hostedzone",
        }
        return known_forms.get(name, "sample")

    def of(shape: Any, name: str, depth: int) -> Any:
        if shape.type_name == "string":
            return value(name)
        if shape.type_name == "list":
            item = of(shape.member, name, depth)
            return None if item is None else [item]
        if shape.type_name == "structure" and depth < 2 and service in ("dynamodb", "ec2", "elasticloadbalancing"):
            return {key: item for key, member in shape.members.items() if (item := of(member, key, depth + 1))}
        return None

    shape = operation.input_shape
    members = shape.members if shape else {}
    return {
        name: item
        for name, member in members.items()
        if name != "TagSpecifications" and (item := of(member, name, 0)) is not None
    }


def test_every_operation_is_evaluated_on_named_resources_of_the_required_types(evaluator: Evaluator):
    wrong: dict[str, list[str]] = {}
    checked = 0
    for service, operation in operations():
        action = f"{service}:{operation.name}"
        try:
            described = evaluator.reference(action)
        except ValueError:
            continue  # an operation whose action has another name, such as BatchExecuteStatement
        has_types = bool(described.types) and not described.wildcard_only
        call = ApiCall(service, operation.name, sample(described, operation) if has_types else {})
        found = authorizations(evaluator.reference, call, ExistingResources(ACCOUNT, REGION))
        asked = [item.resource for item in found if item.action == action]
        checked += 1
        if not has_types:
            assert asked == ["*"], action
        elif action not in OTHER_FORM and not _is_evaluated_as_required(described, action, asked):
            wrong[action] = asked
    assert checked > 600
    assert wrong.keys() == UNNAMED_BY_THE_CALL.keys(), (
        {key: value for key, value in wrong.items() if key not in UNNAMED_BY_THE_CALL},
        UNNAMED_BY_THE_CALL.keys() - wrong.keys(),
    )


def _is_evaluated_as_required(described: Reference, action: str, asked: list[str]) -> bool:
    """Whether each resource has a type of the action, and EC2 is asked for each required type.

    What the call creates has a generated part, which is all that may be unnamed.
    """
    creates = re.match(r"\w+:(Create|Register|Run|Start|Allocate|Associate)", action)
    for arn in asked:
        if not any(_matches(type_.arn, arn) for type_ in described.types):
            return False
        if UNNAMED in (re.sub(rf"[:/]{UNNAMED}$", "", arn) if creates or "task-definition/" in arn else arn):
            return False
    required = [type_ for type_ in described.types if type_.required]
    return not action.startswith("ec2:") or all(any(_matches(type_.arn, arn) for arn in asked) for type_ in required)


def _matches(pattern: str, arn: str) -> bool:
    return re.fullmatch(".+".join(map(re.escape, re.split(r"\$\{\w+\}", pattern))), arn) is not None
