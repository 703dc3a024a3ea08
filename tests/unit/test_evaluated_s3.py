"""S3 names its operations by method, path and query: each is evaluated as the right action on the right resource.

The requests come from botocore's serializer, the actions and their resource types from the service authorization reference.
"""

import re
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import botocore.session
import pytest
from botocore.serialize import create_serializer
from ministack.core import iam_actions

from sandbox.testbed.iam_evaluation.evaluator import Evaluator
from sandbox.testbed.local_aws.unsupported_calls import name_every_action
from tests.tables import table

ACCOUNT, REGION = "123456789012", "ap-northeast-2"
NOT_OF_BUCKETS = {
    "CreateSession",
    "ListDirectoryBuckets",
    "RenameObject",
    "WriteGetObjectResponse",
    "UpdateObjectEncryption",
}
"""Operations of directory buckets and of Object Lambda, which have other actions and other hosts."""
OTHER_NAMES = table(__file__, "other_names")
"""Actions that the reference names otherwise than the operation, also without the words Bucket and Configuration."""


MODEL: Any = botocore.session.Session().get_service_model("s3")
OPERATIONS = [name for name in MODEL.operation_names if name not in NOT_OF_BUCKETS]


def value(shape: Any, name: str = "") -> Any:
    """A value for ``shape``, with the required members of structures."""
    if shape.type_name == "structure":
        return {key: value(member, key) for key, member in shape.members.items() if key in shape.required_members}
    if shape.type_name == "list":
        return [value(shape.member, name)]
    scalars = {"map": {}, "boolean": True, "integer": 1, "long": 1, "timestamp": "2026-01-01T00:00:00Z", "blob": b""}
    return scalars.get(shape.type_name, {"Bucket": "sample", "Key": "folder/object"}.get(name, "sample"))


def asked(operation: str) -> tuple[str, str]:
    """The action and the resource that the local AWS asks IAM about for a request of ``operation``."""
    model = MODEL.operation_model(operation)
    parameters = value(model.input_shape) if model.input_shape else {}
    request = create_serializer("rest-xml", include_validation=False).serialize_to_request(parameters, model)
    url = urlsplit(request["url_path"])
    query = {name: [str(text)] for name, text in dict(request["query_string"]).items()}
    query |= {name: [text] for name, text in parse_qsl(url.query, keep_blank_values=True)}
    headers = {name.lower(): text for name, text in request["headers"].items()}
    body = request["body"] if isinstance(request["body"], bytes) else b""
    method = request["method"]
    action = name_every_action(iam_actions.extract_iam_action)("s3", method, url.path, headers, body, query)
    arn = iam_actions.extract_resource_arn("s3", method, url.path, headers, body, query, REGION, ACCOUNT)
    return action or "", arn


def expected_actions(operation: str) -> set[str]:
    if operation in OTHER_NAMES:
        return {f"s3:{OTHER_NAMES[operation]}"}
    if found := re.fullmatch(r"(\w+?)Bucket(\w+)Configurations?", operation):
        # One action for a list and for its entries, and one for writing and deleting them.
        verb = {"List": "Get", "Delete": "Put"}.get(found[1], found[1])
        if found[2] in ("Analytics", "IntelligentTiering", "Inventory", "Metrics"):
            return {f"s3:{verb}{found[2]}Configuration"}
    short = operation.replace("Bucket", "", 1)
    return {f"s3:{name}" for name in (operation, f"{short}Configuration", short, operation.replace("Cors", "CORS"))}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_request_is_evaluated_as_its_action_on_its_bucket_or_object(evaluator: Evaluator, operation: str):
    action, arn = asked(operation)
    assert action in expected_actions(operation)
    described = evaluator.reference(action)
    if not described.types or described.wildcard_only:
        assert arn == "*"
        return
    patterns = [".+".join(map(re.escape, re.split(r"\$\{\w+\}", type_.arn))) for type_ in described.types]
    assert any(re.fullmatch(pattern, arn) for pattern in patterns)
