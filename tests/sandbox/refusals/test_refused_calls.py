"""The table of refusals: each call that AWS refuses is refused with AWS' code, and accepted once its cause is gone."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from botocore import xform_name
from botocore.exceptions import ClientError

from sandbox.testbed import local_aws
from sandbox.testbed.engine.workspace import clean_environment
from sandbox.testbed.iam_evaluation import service_models
from sandbox.testbed.local_aws import ACCOUNT, REGION, LocalAws
from sandbox.testbed.local_aws.refusals import REFUSALS
from sandbox.testbed.local_aws.refusals.row import Refusal, reference
from tests.sandbox.objects import filled, make

CALLS = yaml.safe_load(Path(__file__).with_name("calls.yaml").read_text(encoding="utf-8"))["calls"]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[LocalAws, dict[str, Any]]]:
    state = tmp_path_factory.mktemp("refusals")
    aws = local_aws.start(state, clean_environment())
    names: dict[str, Any] = {"region": REGION, "account": ACCOUNT}
    names |= {f"x{length}": "x" * length for length in (300, 2100, 6200, 10300, 65537)}
    names["tags"] = [{"Key": f"key-{number}", "Value": "-"} for number in range(51)]
    rule = {"IpProtocol": "tcp", "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
    names["full_rules"] = [{**rule, "FromPort": port, "ToPort": port} for port in range(1, 61)]
    make(aws.client, Path(__file__).with_name("objects.yaml"), names)
    names["key_arn"] = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{names['key']}"
    names["queue_arn"] = f"arn:aws:sqs:{REGION}:{ACCOUNT}:queue"
    yield aws, names
    local_aws.stop(state)


def _code(aws: LocalAws, service: str, operation: str, parameters: dict[str, Any], names: dict[str, Any]) -> str:
    client = aws.client(service)
    shape = client.meta.service_model.operation_model(operation).input_shape
    try:
        getattr(client, xform_name(operation))(**filled(parameters, shape, names))
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "accepted"


@pytest.mark.parametrize("service", CALLS)
def test_what_aws_refuses_is_refused(running: tuple[LocalAws, dict[str, Any]], service: str):
    aws, names = running
    different = []
    for row in CALLS[service]:
        operation, parameters = next(iter(row.items()))
        found = _code(aws, service, operation, parameters, names)
        if found not in row["code"].split():
            different.append(f"{operation} {parameters}: {found} instead of {row['code']}")
        if change := row.get("accepted"):
            found = _code(aws, service, operation, {**parameters, **change}, names)
            if found != "accepted":
                different.append(f"{operation} {parameters} with {change}: {found} instead of accepted")
    assert different == []


@pytest.mark.parametrize("refusal", REFUSALS, ids=lambda row: f"{row.operation} {row.code}")
def test_a_refusal_is_of_an_operation_that_aws_has_and_is_called(refusal: Refusal):
    service = refusal.operations[0].partition(":")[0]
    names = [operation.partition(":")[2] for operation in refusal.operations]
    assert [name for name in names if service_models.operation(service, name) is None] == []
    assert reference(refusal).startswith("https://docs.aws.amazon.com/")
    called = [(next(iter(row)), code) for row in CALLS[service] for code in row["code"].split()]
    assert any((name, refusal.code) in called for name in names)
