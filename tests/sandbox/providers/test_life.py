"""Every type in the table lives a whole life against the local AWS."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import jmespath
import pytest
import yaml
from pulumi.runtime.proto.provider_pb2 import DiffResponse

from sandbox.testbed.local_aws import LocalAws
from tests.sandbox.providers.examples import EXAMPLES, Ids, filled
from tests.sandbox.providers.plugin import Plugin, urn


@pytest.mark.parametrize("token", EXAMPLES)
def test_lives_from_creation_to_deletion(plugin: Plugin, objects: Ids, token: str) -> None:
    example, name = EXAMPLES[token], urn(token, "life")
    first = plugin.check(name, example.inputs(objects))
    assert first.failures == {}
    preview = plugin.create(name, first.inputs, preview=True)
    assert preview.id == ""

    made = plugin.create(name, first.inputs)
    assert made.id
    assert set(example.row.get("outputs", ())) <= made.outputs.keys()
    assert made.outputs.keys() <= preview.outputs.keys() | set(plugin_outputs(token))
    identity, inputs, outputs = plugin.read(name, made.id, first.inputs, made.outputs)
    assert identity == made.id
    assert plugin.diff(name, made.id, outputs, inputs, first.inputs).changes == DiffResponse.DIFF_NONE

    latest, outputs = first.inputs, made.outputs
    if example.change(objects):
        changed = plugin.check(name, {**example.inputs(objects), **example.change(objects)}, first.inputs)
        assert changed.failures == {}
        difference = plugin.diff(name, made.id, made.outputs, first.inputs, changed.inputs)
        assert difference.changes == DiffResponse.DIFF_SOME
        assert list(difference.replaces) == []
        assert set(difference.diffs) - {"tagsAll"} == example.change(objects).keys()
        latest, outputs = (
            changed.inputs,
            plugin.update(name, made.id, made.outputs, first.inputs, changed.inputs),
        )
        _, inputs, seen = plugin.read(name, made.id, latest, outputs)
        assert plugin.diff(name, made.id, seen, inputs, latest).changes == DiffResponse.DIFF_NONE

    # An update without a change is how the engine asks for the repair of what was made half-way.
    repaired = plugin.update(name, made.id, outputs, latest, latest)
    assert plugin.diff(name, made.id, repaired, latest, latest).changes == DiffResponse.DIFF_NONE

    if example.replace(objects):
        other = plugin.check(name, {**example.inputs(objects), **example.replace(objects)}, first.inputs)
        assert other.failures == {}
        difference = plugin.diff(name, made.id, made.outputs, first.inputs, other.inputs)
        assert set(difference.replaces) == example.replace(objects).keys()
        kinds = {detail.kind for detail in difference.detailedDiff.values()}
        assert kinds & {1, 3, 5}, "the preview must show that the change replaces"

    plugin.delete(name, made.id, outputs)
    assert plugin.read(name, made.id, latest, outputs)[0] == (made.id if "delete_leaves" in example.row else "")
    plugin.delete(name, made.id, outputs)  # gone already, which is fine


def plugin_outputs(token: str) -> Collection[str]:
    """Names of the SDK's outputs."""
    from sandbox.testbed.providers.aws.package import AwsPackage

    return AwsPackage().schemas()[token].outputs


MADE = yaml.safe_load(Path(__file__).with_name("made.yaml").read_text(encoding="utf-8"))
IMPORTED = ("aws:ec2/vpc:Vpc", "aws:ecr/repository:Repository", "aws:iam/role:Role", "aws:cloudwatch/logGroup:LogGroup")


@pytest.mark.parametrize("token", IMPORTED)
def test_is_imported_by_its_id(plugin: Plugin, objects: Ids, token: str) -> None:
    name = urn(token, "imported")
    inputs = plugin.check(name, EXAMPLES[token].inputs(objects)).inputs
    made = plugin.create(name, inputs)
    identity, found, outputs = plugin.read(name, made.id)
    assert identity == made.id
    assert plugin.diff(name, made.id, outputs, found, inputs).changes == DiffResponse.DIFF_NONE
    plugin.delete(name, made.id, made.outputs)


@pytest.mark.parametrize("row", MADE, ids=[row["is"] for row in MADE])
def test_is_made(plugin: Plugin, aws: LocalAws, objects: Ids, row: Mapping[str, Any]) -> None:
    token, name = row["type"], urn(row["type"], "made")
    asked = row["inputs"] if "inputs" in row else {**EXAMPLES[token].row["inputs"], **row.get("changes", {})}
    made = plugin.create(name, plugin.check(name, filled(asked, objects)).inputs)
    seen: dict[str, Any] = {"outputs": {**made.outputs, "id": made.id}, "secrets": sorted(made.secrets)}
    if "call" in row:
        service, _, operation = row["call"][0].partition(".")
        parameters = filled(row["call"][1], {**objects, "id": made.id})
        seen["found"] = getattr(aws.client(service), operation)(**parameters)
    assert [holds for holds in row["holds"] if jmespath.search(filled(holds, objects), seen) is not True] == []
    if "is_kept" not in row:
        plugin.delete(name, made.id, made.outputs)


def test_a_web_acl_that_was_replaced_behind_the_program_s_back_is_gone(
    plugin: Plugin, aws: LocalAws, objects: Ids
) -> None:
    token = "aws:wafv2/webAclAssociation:WebAclAssociation"
    name = urn(token, "replaced")
    inputs = plugin.check(name, EXAMPLES[token].inputs(objects)).inputs
    made = plugin.create(name, inputs)
    aws.client("wafv2").associate_web_acl(WebACLArn=objects["other_web_acl"], ResourceArn=objects["load_balancer"])
    assert plugin.read(name, made.id, inputs, made.outputs)[0] == ""
    aws.client("wafv2").disassociate_web_acl(ResourceArn=objects["load_balancer"])


def test_names_are_made_up_once(plugin: Plugin) -> None:
    name = urn("aws:ecs/cluster:Cluster", "generated")
    first = plugin.check(name, {}).inputs
    assert first["name"].startswith("generated-")
    assert len(first["name"]) == len("generated-") + 7
    assert plugin.check(name, {}, first).inputs["name"] == first["name"]
    renamed = plugin.check(name, {"name": "fixed"}, first).inputs
    assert renamed["name"] == "fixed"


def test_a_fixed_name_is_free_before_it_is_used_again(plugin: Plugin) -> None:
    name = urn("aws:iam/policy:Policy", "fixed")
    document = '{"Version": "2012-10-17", "Statement": []}'
    old = plugin.check(name, {"name": "fixed", "policy": document}).inputs
    new = plugin.check(name, {"name": "fixed", "policy": document, "path": "/team/"}, old).inputs
    assert plugin.diff(name, "arn:aws:iam::123456789012:policy/fixed", {}, old, new).deleteBeforeReplace


def test_default_tags_are_on_everything(start: Any, aws: LocalAws) -> None:
    plugin = start(defaultTags='{"tags": {"Project": "atlantis", "Name": "default"}}')
    name = urn("aws:ec2/vpc:Vpc", "tagged")
    inputs = plugin.check(name, {"cidrBlock": "10.9.0.0/16", "tags": {"Name": "own"}}).inputs
    made = plugin.create(name, inputs)
    assert made.outputs["tags"] == {"Name": "own"}
    assert made.outputs["tagsAll"] == {"Name": "own", "Project": "atlantis"}
    vpc: Mapping[str, Any] = aws.client("ec2").describe_vpcs(VpcIds=[made.id])["Vpcs"][0]
    assert {tag["Key"]: tag["Value"] for tag in vpc["Tags"]} == {"Name": "own", "Project": "atlantis"}
    _, seen, outputs = plugin.read(name, made.id, inputs, made.outputs)
    assert plugin.diff(name, made.id, outputs, seen, inputs).changes == DiffResponse.DIFF_NONE
    plugin.delete(name, made.id, made.outputs)


def test_an_import_takes_a_cluster_and_a_service_by_name_as_the_official_plugin_does(
    plugin: Plugin, objects: Ids
) -> None:
    cluster, service = "aws:ecs/cluster:Cluster", "aws:ecs/service:Service"
    name = urn(service, "imported")
    made = plugin.create(name, plugin.check(name, EXAMPLES[service].inputs(objects)).inputs)

    identity, inputs, outputs = plugin.read(name, f"{objects['cluster_name']}/example-service")
    assert identity == made.id
    assert outputs["arn"] == made.id
    assert inputs["name"] == "example-service"
    assert plugin.read(urn(cluster, "imported"), objects["cluster_name"])[0] == objects["cluster"]
    assert plugin.read(urn(cluster, "imported"), "no-such-cluster")[0] == ""

    plugin.delete(name, identity, outputs)
