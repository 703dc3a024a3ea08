"""Functions answer as the official provider's do."""

from __future__ import annotations

from pathlib import Path

import grpc
import pytest
import yaml

from sandbox.testbed.local_aws import LocalAws
from sandbox.testbed.providers.aws import table
from sandbox.testbed.providers.aws.package import AwsPackage
from tests.sandbox.providers.examples import Ids, filled
from tests.sandbox.providers.plugin import Plugin

ANSWERS = yaml.safe_load(Path(__file__).with_name("functions.yaml").read_text(encoding="utf-8"))


def test_every_function_answers(plugin: Plugin, objects: Ids) -> None:
    schemas = AwsPackage().schemas()
    called = set()
    for name, arguments, expected in filled(ANSWERS, objects):
        token = f"aws:{name}"
        called.add(token)
        answer, failures = plugin.invoke(token, arguments)
        assert failures == {}, token
        assert {key: answer.get(key) for key in expected} == expected, token
        assert answer.keys() <= set(schemas[token].outputs), token
    assert called == table.FUNCTIONS.keys()


def test_the_account_may_lack_what_is_asked_for(plugin: Plugin) -> None:
    with pytest.raises(grpc.RpcError) as error:
        plugin.invoke("aws:ec2/getSubnet:getSubnet", {"cidrBlock": "192.0.2.0/24"})
    details = str(error.value.details())  # pyright: ignore[reportAttributeAccessIssue]
    assert "0 objects fit {'cidrBlock': '192.0.2.0/24'}; exactly one must" in details


def test_arguments_are_judged(plugin: Plugin) -> None:
    assert "did you mean 'vpcId'?" in plugin.invoke("aws:ec2/getSubnet:getSubnet", {"vpcID": "x"})[1]["vpcID"]
    assert "missing" in plugin.invoke("aws:secretsmanager/getSecretVersion:getSecretVersion", {})[1]["secretId"]
    assert "not of type array" in plugin.invoke("aws:ec2/getSubnet:getSubnet", {"filters": "x"})[1]["filters"]


def test_a_secret_that_is_being_deleted_is_not_found(plugin: Plugin, aws: LocalAws) -> None:
    client = aws.client("secretsmanager")
    client.create_secret(Name="leaving")
    client.delete_secret(SecretId="leaving", RecoveryWindowInDays=7)
    with pytest.raises(grpc.RpcError) as error:
        plugin.invoke("aws:secretsmanager/getSecret:getSecret", {"name": "leaving"})
    assert "deletion" in str(error.value.details())  # pyright: ignore[reportAttributeAccessIssue]
