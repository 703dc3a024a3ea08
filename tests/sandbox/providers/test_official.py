"""The stand-ins say what the official plugins say, so that a stack may change from one to the other without replacements."""

from __future__ import annotations

from typing import Any

import pytest
from pulumi.runtime.proto.provider_pb2 import DiffResponse

from tests.sandbox.providers.examples import EXAMPLES, Ids
from tests.sandbox.providers.plugin import Plugin, urn

VPC = "aws:ec2/vpc:Vpc"
TASK_DEFINITION = "aws:ecs/taskDefinition:TaskDefinition"
LISTENER = "aws:lb/listener:Listener"
CERTIFICATE = "aws:acm/certificate:Certificate"
RECORD = "aws:route53/record:Record"
FILE_SYSTEM = "aws:efs/fileSystem:FileSystem"
MOUNT_TARGET = "aws:efs/mountTarget:MountTarget"

REDIRECT = {"type": "redirect", "redirect": {"statusCode": "HTTP_301", "port": "443", "protocol": "HTTPS"}}
KEPT = {"host": "#{host}", "path": "/#{path}", "query": "#{query}"}


def _volume(objects: Ids, **configuration: Any) -> dict[str, Any]:
    volume = {"name": "data", "efsVolumeConfiguration": {"fileSystemId": objects["file_system"], **configuration}}
    return {**EXAMPLES[TASK_DEFINITION].inputs(objects), "volumes": [volume]}


def _listener(objects: Ids) -> dict[str, Any]:
    given = {"loadBalancerArn": objects["load_balancer"], "port": 8080, "protocol": "HTTP"}
    return {**given, "defaultActions": [REDIRECT]}


def _made(plugin: Plugin, token: str, inputs: dict[str, Any]) -> tuple[str, dict[str, Any], dict[str, Any]]:
    """An object's id, checked inputs and outputs."""
    checked = plugin.check(urn(token, "official"), inputs)
    assert checked.failures == {}
    made = plugin.create(urn(token, "official"), checked.inputs)
    return made.id, checked.inputs, made.outputs


def _same(plugin: Plugin, token: str, old: dict[str, Any], new: dict[str, Any]) -> bool:
    return plugin.diff(urn(token, "official"), "some-id", old, old, new).changes == DiffResponse.DIFF_NONE


def test_a_volume_has_the_root_directory(plugin: Plugin, objects: Ids) -> None:
    name = urn(TASK_DEFINITION, "official")
    plain = plugin.check(name, _volume(objects)).inputs
    assert plain["volumes"][0]["efsVolumeConfiguration"]["rootDirectory"] == "/"
    assert plugin.check(name, _volume(objects, rootDirectory="/data")).inputs["volumes"] != plain["volumes"]


def test_a_redirect_keeps_what_it_does_not_change(plugin: Plugin, objects: Ids) -> None:
    inputs = plugin.check(urn(LISTENER, "official"), _listener(objects)).inputs
    assert inputs["defaultActions"] == [{**REDIRECT, "redirect": {**KEPT, **REDIRECT["redirect"]}}]
    identity, _, outputs = _made(plugin, LISTENER, _listener(objects))
    assert outputs["defaultActions"][0]["redirect"] == {**KEPT, **REDIRECT["redirect"]}
    plugin.delete(urn(LISTENER, "official"), identity, outputs)


@pytest.mark.parametrize("token", [TASK_DEFINITION, LISTENER])
def test_a_state_without_these_defaults_is_not_changed_by_them(plugin: Plugin, objects: Ids, token: str) -> None:
    """As an earlier version of the stand-in wrote it."""
    given = _volume(objects) if token == TASK_DEFINITION else _listener(objects)
    assert _same(plugin, token, given, plugin.check(urn(token, "official"), given).inputs)


def test_defaults_of_the_official_plugin_that_the_stand_in_does_not_know_are_no_change(
    plugin: Plugin, objects: Ids
) -> None:
    new = plugin.check(urn(VPC, "official"), EXAMPLES[VPC].inputs(objects)).inputs
    official = {**new, "ipv4NetmaskLength": 0, "__defaults": [*new.get("__defaults", []), "ipv4NetmaskLength"]}
    assert _same(plugin, VPC, official, new)
    by_the_program = {**official, "__defaults": new.get("__defaults", [])}
    assert not _same(plugin, VPC, by_the_program, new)


@pytest.mark.parametrize("asked", [[], ["b.example.com"], ["example.com", "b.example.com"]])
def test_a_certificate_s_name_is_among_its_alternatives(plugin: Plugin, asked: list[str]) -> None:
    name = urn(CERTIFICATE, "official")
    given = {"domainName": "example.com", "validationMethod": "DNS"}
    identity, inputs, outputs = _made(
        plugin, CERTIFICATE, {**given, **({"subjectAlternativeNames": asked} if asked else {})}
    )
    assert sorted(outputs["subjectAlternativeNames"]) == sorted({"example.com", *asked})
    _, seen, _ = plugin.read(name, identity, inputs, outputs)
    assert seen.get("subjectAlternativeNames", []) == asked
    plugin.delete(name, identity, outputs)


def test_a_record_s_names_have_no_trailing_dot(plugin: Plugin, objects: Ids) -> None:
    name = urn(RECORD, "official")
    alias = {"name": "Lb.example.com.", "zoneId": objects["zone"], "evaluateTargetHealth": True}
    given = {"zoneId": objects["zone"], "name": "_Dot.example.com.", "type": "A", "aliases": [alias]}
    identity, inputs, outputs = _made(plugin, RECORD, given)
    assert identity == f"{objects['zone']}__dot.example.com_A"
    assert (outputs["name"], outputs["fqdn"], outputs["aliases"][0]["name"]) == (
        "_dot.example.com",
        "_dot.example.com",
        "lb.example.com",
    )
    assert plugin.read(name, identity, inputs, outputs)[1]["name"] == "_Dot.example.com."
    assert _same(plugin, RECORD, inputs, {**inputs, "name": "_dot.example.com"})
    assert not _same(plugin, RECORD, inputs, {**inputs, "name": "dot.example.com"})
    plugin.delete(name, identity, outputs)


def test_mount_targets_are_counted_when_a_file_system_is_read_again(plugin: Plugin, objects: Ids) -> None:
    identity, inputs, outputs = _made(plugin, FILE_SYSTEM, {})
    assert outputs["numberOfMountTargets"] == 0
    given = {"fileSystemId": identity, "subnetId": objects["subnet_a"]}
    target, _, target_outputs = _made(plugin, MOUNT_TARGET, given)
    assert plugin.read(urn(FILE_SYSTEM, "official"), identity, inputs, outputs)[2]["numberOfMountTargets"] == 1
    plugin.delete(urn(MOUNT_TARGET, "official"), target, target_outputs)
    plugin.delete(urn(FILE_SYSTEM, "official"), identity, outputs)
