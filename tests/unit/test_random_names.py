"""Names of the random provider become wildcards in the least-privilege roles: the next creation has others."""

import base64

from sandbox.repository_rehearsal import random_names
from sandbox.repository_rehearsal.decisions import Call

RAW = bytes.fromhex("0a1b2c3d")
APPLY = f"""
random_pet.this: Creation complete after 0s [id=destined-mosquito]
module.names.random_id.bucket["a"]: Creation complete after 0s [id={base64.urlsafe_b64encode(RAW).decode().rstrip("=")}]
random_integer.zone[0]: Creation complete after 0s [id=2]
aws_sqs_queue.jobs: Creation complete after 0s [id=jobs]
"""


def call(resource: str, **keys: str) -> Call:
    return Call("sqs:CreateQueue", resource, keys, "Allowed", (), "")


def widened(resource: str) -> str:
    (found,) = random_names.without([call(resource)], random_names.values(APPLY))
    return found.resource


def test_the_values_are_those_that_the_random_provider_created_in_all_their_forms():
    assert random_names.values(APPLY) == ["destined-mosquito", "169552957", "0a1b2c3d", "ChssPQ", "2"]


def test_they_are_wildcards_in_the_name_of_a_resource_only():
    assert widened("arn:aws:s3:::s3-bucket-destined-mosquito/a/b") == "arn:aws:s3:::s3-bucket-*/a/b"
    assert widened("arn:aws:sqs:eu-west-1:123456789012:x0a1b2c3d-dlq") == "arn:aws:sqs:eu-west-1:123456789012:x*-dlq"
    assert widened("*") == "*"


def test_a_short_value_is_replaced_as_a_whole_word_only():
    queue = "arn:aws:sqs:ap-northeast-2:123456789012:jobs"
    assert widened(f"{queue}-2") == f"{queue}-*"
    assert widened(f"{queue}-24") == f"{queue}-24"


def test_the_values_of_condition_keys_are_widened_too():
    asked = call(
        "*", **{"iam:PolicyARN": "arn:aws:iam::123456789012:policy/destined-mosquito", "aws:RequestedRegion": "a"}
    )
    (found,) = random_names.without([asked], random_names.values(APPLY))
    assert found.keys == {"iam:PolicyARN": "arn:aws:iam::123456789012:policy/*", "aws:RequestedRegion": "a"}
