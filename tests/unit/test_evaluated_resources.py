"""Every operation of a service is evaluated on a resource of the type that the service authorization reference requires.

The operations and their parameters come from botocore's models, and the resource types of their actions from the reference, so
neither depends on the code under test.
"""

import re
from collections.abc import Iterator
from typing import Any

import botocore.loaders
import pytest
from botocore.model import ServiceModel

from sandbox.iam_evaluation.api_call import ApiCall, World
from sandbox.iam_evaluation.authorizations import authorizations
from sandbox.iam_evaluation.evaluator import Evaluator, Reference
from sandbox.iam_evaluation.resource_arns import UNNAMED

ACCOUNT, REGION = "123456789012", "ap-northeast-2"
SERVICES = ("dynamodb", "ecr", "kms", "logs", "secretsmanager", "sns", "sqs")
"""Services whose operations name one resource. ECS, EC2 and Elastic Load Balancing have tables of their own, tested elsewhere."""

UNNAMED_BY_THE_CALL = {
    "dynamodb:BatchGetItem": "the tables are keys of RequestItems; ministack evaluates each table",
    "dynamodb:BatchWriteItem": "the tables are keys of RequestItems; ministack evaluates each table",
    "dynamodb:ImportTable": "the table is in a nested structure, which the sample doesn't have",
    "kms:DeleteAlias": "the call names only the alias, and AWS evaluates its key too",
    "logs:GetLogRecord": "the pointer contains the log group in a form that only AWS knows",
    "logs:GetQueryResults": "the query knows its log groups",
    "sqs:CancelMessageMoveTask": "the task's handle contains the queue in a form that only AWS knows",
}
"""Operations whose call doesn't name the resource, and why."""


@pytest.fixture(scope="module")
def evaluator() -> Iterator[Evaluator]:
    with Evaluator() as started:
        yield started


def operations() -> Iterator[tuple[str, Any]]:
    loader = botocore.loaders.Loader()
    for name in SERVICES:
        model: Any = ServiceModel(loader.load_service_model(name, "service-2"), name)
        for operation in model.operation_names:
            yield name, model.operation_model(operation)


def sample(described: Reference, operation: Any) -> dict[str, Any]:
    """A value for each parameter that can name a resource."""
    known = {"Partition": "aws", "Region": REGION, "Account": ACCOUNT}
    arn = re.sub(r"\$\{(\w+)\}", lambda found: known.get(found[1], "sample"), described.types[0].arn)

    def value(name: str) -> str:
        if name.lower().endswith(("arn", "arnlist")):
            return arn
        return {"QueueUrl": f"https://host/{ACCOUNT}/sample", "AliasName": "alias/sample"}.get(name, "sample")

    found: dict[str, Any] = {}
    for name, member in operation.input_shape.members.items() if operation.input_shape else ():
        if member.type_name == "string":
            found[name] = value(name)
        elif member.type_name == "list" and member.member.type_name == "string":
            found[name] = [value(name)]
    return found


def test_every_operation_is_evaluated_on_a_named_resource_of_the_required_type(evaluator: Evaluator):
    wrong: dict[str, list[str]] = {}
    for service, operation in operations():
        action = f"{service}:{operation.name}"
        try:
            described = evaluator.reference(action)
        except ValueError:
            continue  # an operation whose action has another name, such as BatchExecuteStatement
        has_types = bool(described.types) and not described.wildcard_only
        call = ApiCall(service, operation.name, sample(described, operation) if has_types else {})
        found = authorizations(evaluator.reference, call, World(ACCOUNT, REGION))
        asked = [item.resource for item in found if item.action == action]
        if not has_types:
            assert asked == ["*"], action
        elif not all(_is_named(described, resource) for resource in asked):
            wrong[action] = asked
    assert wrong.keys() == UNNAMED_BY_THE_CALL.keys(), {k: v for k, v in wrong.items() if k not in UNNAMED_BY_THE_CALL}


def _is_named(described: Reference, arn: str) -> bool:
    return UNNAMED not in arn and any(_matches(type_.arn, arn) for type_ in described.types)


def _matches(pattern: str, arn: str) -> bool:
    return re.fullmatch(".+".join(map(re.escape, re.split(r"\$\{\w+\}", pattern))), arn) is not None
