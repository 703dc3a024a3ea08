"""No rule raises, whatever stands in a resource, and no message shows a value that could be secret."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from policies.catalogue import RULES
from tests.policy.rows import SOUND, Row, changed
from tests.policy.servicer import UNKNOWN, Pack, Planned, secret
from tests.policy.test_rows import VALUES

CANARY = "canary-7f3a-never-shown"
SOUND_ROWS = [row for row in VALUES if row.why.endswith(SOUND)]
ROUNDS = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])

_EVERYTHING_ON = {
    "encryption": {
        "customerKeys": ["ecr", "efs", "secrets", "logs", "sns", "sqs", "dynamodb", "ebs", "rds", "elasticache"]
    },
    "encryption-stack": {"bucketCustomerKeys": True},
    "path-integrity": {"requireWebAcl": True},
    "recovery": {"requireProtect": True},
}

documents = st.sampled_from(
    [
        "",
        "{",
        "null",
        "[]",
        '"text"',
        "[" * 5000,
        '{"Statement": 5}',
        '{"Statement": [[], null, {"Effect": "Allow", "Action": {"a": 1}, "Principal": [["*"]], "Condition": [1]}]}',
        '{"Statement": {"Effect": "Allow", "Action": "*", "Resource": null, "Condition": {"Bool": {"a": [{}]}}}}',
        '[{"environment": [{"name": 1}], "image": [], "user": true, "mountPoints": {"sourceVolume": {}}}]',
        '[[], 5, {"environment": "x", "logConfiguration": [], "image": "::@"}]',
        "1e999",
        "9" * 5000,
    ]
)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-(2**40), 2**40),
    st.text(max_size=40),
    st.sampled_from([CANARY, UNKNOWN, "0.0.0.0/0", "::/0", "10.0.0.0/8", "*", "-1", "HTTPS", "ENABLED", "true"]),
    documents,
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["name", "value", "values", "cidr", "type", "policy", "key", CANARY]), inner, max_size=3
        ),
        inner.map(secret),
    ),
    max_leaves=8,
)


def _tokens() -> list[str]:
    types = {canonical for rule in RULES for canonical in rule.by_type}
    types |= {
        "ec2/securityGroup",
        "ecs/service",
        "lb/listenerRule",
        "iam/policy",
        "appautoscaling/target",
        "s3/bucketVersioning",
    }
    known = [f"aws:{canonical}:It" for canonical in types]
    return [
        *known,
        "pulumi:pulumi:Stack",
        "gcp:storage/bucket:Bucket",
        "kubernetes:core/v1:Pod",
        "x",
        "",
        "aws:",
        "a:b:c:d",
    ]


def _property_names() -> list[str]:
    names = {re.split(r"[.\[]", row.changed[1])[0] for row in VALUES}
    return sorted(names.union(*(resource.properties for row in VALUES for resource in row.resources)))


@ROUNDS
@given(
    st.lists(
        st.builds(
            Planned,
            st.sampled_from(_tokens()),
            st.sampled_from(["a", "b", "c"]),
            st.dictionaries(st.sampled_from(_property_names()), values, max_size=8),
            st.dictionaries(
                st.sampled_from(_property_names()), st.lists(st.sampled_from(["a", "b", "c", "d"])), max_size=3
            ),
        ),
        max_size=6,
        unique_by=lambda planned: planned.identity,
    )
)
def test_no_rule_raises_on_resources_of_any_shape(resources: list[Planned]) -> None:
    for finding in Pack(_EVERYTHING_ON).review(*resources):
        assert CANARY not in finding.message


@ROUNDS
@given(st.sampled_from(SOUND_ROWS), values, st.data())
def test_no_rule_raises_on_a_good_stack_with_one_strange_value(row: Row, value: Any, data: st.DataObject) -> None:
    places = [(resource.name, path) for resource in row.resources for path in _paths(resource.properties)]
    name, path = data.draw(st.sampled_from(places))
    for finding in Pack({**_EVERYTHING_ON, **row.configuration}).review(*changed(row.resources, name, path, value)):
        assert CANARY not in finding.message


def _paths(properties: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in properties.items():
        yield from _below(f"{prefix}{key}", value)


def _below(path: str, value: Any) -> Iterator[str]:
    yield path
    if isinstance(value, Mapping):
        yield from _paths(value, f"{path}.")
    elif isinstance(value, list):
        for index, element in enumerate(value):
            yield from _below(f"{path}[{index}]", element)


@pytest.mark.parametrize("row", SOUND_ROWS, ids=lambda row: row.label)
def test_no_message_shows_the_value_of_the_property(row: Row) -> None:
    stack = changed(row.resources, *row.changed, secret(CANARY))
    for finding in Pack({**_EVERYTHING_ON, **row.configuration}).review(*stack):
        assert CANARY not in finding.message


MILLION = "a" * 1_000_000


@pytest.mark.parametrize(
    ("token", "name"),
    [
        ("aws:ecs/taskDefinition:TaskDefinition", "containerDefinitions"),
        ("aws:iam/rolePolicy:RolePolicy", "policy"),
        ("aws:iam/role:Role", "assumeRolePolicy"),
        ("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "cidrIpv4"),
        ("aws:lb/listener:Listener", "sslPolicy"),
        ("aws:ssm/parameter:Parameter", "value"),
        ("pulumi:pulumi:Stack", "token"),
        ("pulumi:pulumi:Stack", MILLION),
    ],
)
@pytest.mark.parametrize(
    "text", [MILLION, json.dumps([{"image": MILLION, "environment": [{"name": MILLION, "value": MILLION}]}])]
)
def test_string_of_a_million_characters_is_judged_quickly_and_not_shown(token: str, name: str, text: str) -> None:
    import time

    started = time.perf_counter()
    findings = Pack().review(Planned(token, "it", {name: text, "type": "String"}))
    assert time.perf_counter() - started < 10
    assert all(len(finding.message) < 2000 for finding in findings)
