"""What a plan shows as known after apply becomes a wildcard in the least-privilege roles: the next creation has other values."""

from typing import Any

import pytest

from sandbox.repository_rehearsal import generated_names
from sandbox.repository_rehearsal.decisions import Call

HEAD = "ap-northeast-2:123456789012"
FUNCTION = f"arn:aws:lambda:{HEAD}:function:orders-2"
PLAN = """
  # aws_route53_zone.team will be created
  + resource "aws_route53_zone" "team" {
      + arn     = (known after apply)
      + name    = "team.example.com"
      + zone_id = (known after apply)
    }

  # module.api.aws_apigatewayv2_api.this["a"] will be created
      + api_endpoint = (known after apply)
      + arn          = (known after apply)
      + id           = (known after apply)

  # module.names.random_pet.this will be created
      + id = (known after apply)

  # random_integer.zone[0] will be created
      + id = (known after apply)

  # aws_lambda_function.orders will be created
      + arn           = (known after apply)
      + qualified_arn = (known after apply)
      + version       = (known after apply)

  # aws_sqs_queue.jobs must be replaced
      + arn  = (known after apply)
      + id   = (known after apply)
      + name = "jobs9"
"""


def resource(address: str, provider: str = "aws", **values: Any) -> dict[str, Any]:
    return {"address": address, "mode": "managed", "provider_name": f"registry/hashicorp/{provider}", "values": values}


STATE = {
    "values": {
        "root_module": {
            "resources": [
                resource("aws_route53_zone.team", arn="arn:aws:route53:::hostedzone/Z0ABC12", zone_id="Z0ABC12"),
                resource("random_integer.zone[0]", "random", id="2", min=1),
                resource(
                    "aws_lambda_function.orders",
                    arn=FUNCTION,
                    name="orders-2",
                    qualified_arn=f"{FUNCTION}:1",
                    version="1",
                ),
                resource(
                    "aws_sqs_queue.jobs",
                    arn=f"arn:aws:sqs:{HEAD}:jobs9",
                    id="https://sqs/123456789012/jobs9",
                    name="jobs9",
                ),
                resource("aws_sns_topic.known", name="abcdefghij-topic", arn=f"arn:aws:sns:{HEAD}:abcdefghij-topic"),
            ],
            "child_modules": [
                {
                    "resources": [
                        resource(
                            'module.api.aws_apigatewayv2_api.this["a"]',
                            id="abcdefghij",
                            arn="arn:aws:apigateway:ap-northeast-2::/apis/abcdefghij",
                            api_endpoint="https://abcdefghij.execute-api.ap-northeast-2.amazonaws.com",
                        )
                    ],
                    "child_modules": [
                        {"resources": [resource("module.names.random_pet.this", "random", id="wise-cat")]}
                    ],
                }
            ],
        }
    }
}


def widened(resource: str, **keys: str) -> Call:
    made = Call("sqs:CreateQueue", resource, keys, "Allowed", (), "")
    return generated_names.without([made], generated_names.values(PLAN, STATE))[0]


def test_the_values_are_those_that_the_plan_did_not_know():
    assert generated_names.values(PLAN, STATE) == ["abcdefghij", "wise-cat", "Z0ABC12", ":1", "2"]
    assert generated_names.values(PLAN, {}) == generated_names.values("No changes.", STATE) == []


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        ("arn:aws:route53:::hostedzone/Z0ABC12", "arn:aws:route53:::hostedzone/*"),
        (
            "arn:aws:apigateway:ap-northeast-2::/apis/abcdefghij/stages",
            "arn:aws:apigateway:ap-northeast-2::/apis/*/stages",
        ),
        ("arn:aws:s3:::bucket-wise-cat/a/b", "arn:aws:s3:::bucket-*/a/b"),
        (f"arn:aws:lambda:{HEAD}:layer:base-1:1", f"arn:aws:lambda:{HEAD}:layer:base-1:*"),
        (f"arn:aws:sqs:{HEAD}:jobs-2", f"arn:aws:sqs:{HEAD}:jobs-*"),
        (f"arn:aws:sqs:{HEAD}:jobs-24", f"arn:aws:sqs:{HEAD}:jobs-24"),
        (f"arn:aws:sqs:{HEAD}:jobs9", f"arn:aws:sqs:{HEAD}:jobs9"),
        ("*", "*"),
    ],
)
def test_they_are_wildcards_in_the_name_of_a_resource_only(seen: str, expected: str):
    assert widened(seen).resource == expected


def test_the_values_of_condition_keys_are_widened_too():
    found = widened("*", **{"iam:PolicyARN": "arn:aws:iam::123456789012:policy/wise-cat", "aws:RequestedRegion": "a"})
    assert found.keys == {"iam:PolicyARN": "arn:aws:iam::123456789012:policy/*", "aws:RequestedRegion": "a"}
