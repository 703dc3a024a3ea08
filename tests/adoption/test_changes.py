"""How values of a state are compared with the program's, and the rows of the table: each value that changes, and never a secret."""

import pytest

from adoption.leaves import leaves, text
from adoption.pairing import _plain
from adoption.properties import MISSING, attribute, same, snake


def test_documents_are_compared_by_their_parts() -> None:
    old = '{"Statement": [{"Sid": "a", "Effect": "Allow"}], "Version": "2012-10-17"}'
    new = '{"Statement": [{"Sid": "b", "Effect": "Allow"}], "Version": "2012-10-17"}'
    assert list(leaves("policy", old, new, str)) == [("policy.Statement.Sid", "a", "b")]


def test_no_value_of_a_secret_is_in_a_row_and_names_are_in_pulumi_s_spelling() -> None:
    block = {"client_id": "atlantis", "client_secret": "hidden", "scope": ""}
    assert text(block) == '{"clientId": "atlantis", "clientSecret": "(sensitive)"}'
    assert list(leaves("oidc", {"clientSecret": "hidden"}, {"clientSecret": "new"}, str)) == [
        ("oidc.clientSecret", "(sensitive)", "(sensitive)")
    ]


@pytest.mark.parametrize(
    ("name", "attributes", "found"),
    [
        ("aliases", {"alias": [1]}, [1]),
        ("policies", {"policy": [1]}, [1]),
        ("subnets", {"subnets": [1], "subnet": [2]}, [1]),
        ("conditions", {"condition": [1]}, [1]),
        ("accessLogs", {"access_logs": [1]}, [1]),
        ("kmsKeyId", {"kms_key": 1}, MISSING),
    ],
)
def test_an_attribute_is_found_in_terraform_s_spelling(name: str, attributes: dict[str, object], found: object) -> None:
    assert attribute(attributes, name) is found or attribute(attributes, name) == found


def test_a_name_is_converted_at_each_capital() -> None:
    assert snake("enableEcsManagedTags") == "enable_ecs_managed_tags"


@pytest.mark.parametrize("unset", [None, "", [], {}, False, 0])
def test_what_is_not_set_equals_terraform_s_zero_values_and_a_missing_attribute(unset: object) -> None:
    assert same(unset, MISSING, str)
    assert same(unset, None, str)
    assert same(unset, "", str)
    if unset != {}:  # a block whose properties the program doesn't set equals any
        assert not same(unset, "x", str)


def test_what_is_set_does_not_equal_a_missing_attribute() -> None:
    assert not same("x", MISSING, str)
    assert not same({"a": 1}, MISSING, str)


def test_a_key_has_the_zero_that_terraform_stores_for_an_unset_port_and_no_other() -> None:
    assert {_plain(value) for value in (None, MISSING, 0, "0")} == {""}
    assert (_plain("-1"), _plain(443), _plain("443")) == ("-1", "443", "443")
