"""The parameters of requests with an XML body, serialized by botocore, and what IAM is asked about them."""

from typing import Any

import botocore.session
import pytest
from botocore.serialize import create_serializer

from sandbox.testbed.iam_evaluation.api_call import ApiCall, ExistingResources
from sandbox.testbed.iam_evaluation.authorizations import authorizations
from sandbox.testbed.iam_evaluation.evaluator import Evaluator
from sandbox.testbed.iam_evaluation.wire import HttpRequest, parameters_of
from tests.tables import table

CHANGES = table(__file__, "changes")


def sent(service: str, operation: str, parameters: dict[str, Any]) -> HttpRequest:
    model: Any = botocore.session.Session().get_service_model(service).operation_model(operation)
    request = create_serializer("rest-xml", include_validation=False).serialize_to_request(parameters, model)
    headers = {name.lower(): value for name, value in request["headers"].items()}
    return HttpRequest(service, {}, request["body"], request["method"], request["url_path"], headers)


@pytest.mark.parametrize(("operation", "parameters"), table(__file__, "members"))
def test_the_members_of_an_xml_body_are_read(operation: str, parameters: dict[str, Any]) -> None:
    assert parameters_of(sent("route53", operation, parameters), operation) == parameters


@pytest.mark.parametrize("body", [b"", b"no XML", b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'])
def test_a_body_that_is_no_plain_xml_has_no_members(body: bytes) -> None:
    request = HttpRequest("route53", {}, body, "POST", "/2013-04-01/hostedzone", {})
    assert parameters_of(request, "CreateHostedZone") == {}


def test_changed_records_have_their_condition_keys(evaluator: Evaluator) -> None:
    request = sent("route53", "ChangeResourceRecordSets", {"HostedZoneId": "Z1", "ChangeBatch": {"Changes": CHANGES}})
    call = ApiCall("route53", "ChangeResourceRecordSets", parameters_of(request, "ChangeResourceRecordSets"))
    (asked,) = authorizations(evaluator.reference, call, ExistingResources("123456789012", "us-east-1"))
    prefix = "route53:ChangeResourceRecordSets"
    assert (asked.action, asked.resource) == (prefix, "arn:aws:route53:::hostedzone/Z1")
    assert asked.keys[f"{prefix}NormalizedRecordNames"] == ["api.example.com", "old.example.com"]
    assert asked.keys[f"{prefix}RecordTypes"] == ["CNAME", "A"]
    assert asked.keys[f"{prefix}Actions"] == ["UPSERT", "DELETE"]
