"""Outputs of other resources as arguments of the component: which are accepted, and when they are validated."""

import dataclasses
import re
from collections.abc import Callable
from typing import Any

import pulumi
import pytest

from components import Atlantis, AtlantisArgs
from components.settings import SettingsError, in_own_account, validate
from components.settings.schema import groups_of, settings_of
from tests.tables import table
from tests.unit.authorities import authority
from tests.unit.recording import ACCOUNT, EXISTING_VPC, LOCAL, REGION, Graph, deploy, refusal
from tests.unit.shapes import METRICS
from tests.unit.stacks import PRODUCTION

EVERYTHING: dict[str, Any] = (
    LOCAL | PRODUCTION | table(__file__, "everything") | {"caCertificates": authority(), "extraContainers": [METRICS]}
)
SHAPES = {"own": EVERYTHING} | {name: EVERYTHING | changes for name, changes in table(__file__, "shapes").items()}
"""Together, they have a value for every setting that accepts an output."""

ACCEPTING = [declared for declared in settings_of(AtlantisArgs) if declared.accepts_outputs]
REFUSING = [declared for declared in settings_of(AtlantisArgs) if not declared.accepts_outputs]


def arguments(values: dict[str, Any], **changes: Any) -> AtlantisArgs:
    """Typed arguments from configuration keys."""
    own: dict[str, Any] = {}
    groups: dict[str, dict[str, Any]] = {name: {} for name in groups_of(AtlantisArgs)}
    given = values | changes
    for declared in settings_of(AtlantisArgs):
        if given.get(declared.key) is not None:
            (groups[declared.group] if declared.group else own)[declared.field.name] = given[declared.key]
    return AtlantisArgs(**own, **{name: owner(**groups[name]) for name, owner in groups_of(AtlantisArgs).items()})


def outputs_of(values: dict[str, Any]) -> dict[str, Any]:
    """`values`, with an output for every one that can be one."""
    direct = {
        declared.key: as_outputs(values[declared.key]) for declared in ACCEPTING if values.get(declared.key) is not None
    }
    objects = {
        declared.key: [
            item
            | {
                inner.key: as_outputs(item[inner.key])
                for inner in settings_of(declared.objects)
                if inner.accepts_outputs
            }
            for item in values[declared.key]
        ]
        for declared in REFUSING
        if declared.objects and values.get(declared.key)
    }
    return values | direct | objects


def as_outputs(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: pulumi.Output.from_input(item) for key, item in value.items()}
    return (
        [pulumi.Output.from_input(item) for item in value]
        if isinstance(value, list)
        else pulumi.Output.from_input(value)
    )


def program(values: Callable[[], dict[str, Any]], **changes: Any) -> Callable[[], None]:
    def run() -> None:
        Atlantis("atlantis", arguments(values(), **changes))

    return run


def registered(graph: Graph) -> dict[tuple[str, str], dict[str, Any]]:
    return {(item.type, item.name): item.decoded for item in graph.resources if item.custom}


def test_the_shapes_have_a_value_for_every_argument_that_can_be_an_output() -> None:
    given = {key for values in SHAPES.values() for key, value in values.items() if value is not None}
    assert [declared.key for declared in ACCEPTING if declared.key not in given] == []


@pytest.mark.parametrize("values", SHAPES.values(), ids=SHAPES)
def test_every_argument_that_is_an_output_reaches_the_same_resources_as_its_value(values: dict[str, Any]) -> None:
    plain = registered(deploy(program(lambda: values)))
    outputs = registered(deploy(program(lambda: outputs_of(values))))
    zones = {"ap-northeast-2a": "1", "ap-northeast-2c": "2"}
    renamed = {
        (kind, name.replace("target-" + zone, "target-" + number) if "mount-target" in name else name): inputs
        for (kind, name), inputs in plain.items()
        for zone, number in zones.items()
        if "mount-target" not in name or name.endswith(zone)
    }
    assert outputs == renamed


_OF_TYPE: dict[str, Callable[[Any], Any]] = {"array": lambda item: [item], "object": lambda item: {"X": item}}


def test_what_is_only_passed_on_can_be_an_output() -> None:
    """By its name: IDs, ARNs, names of others' resources, addresses and the values of tags."""
    passed_on = re.compile(
        r"(Arns?|Ids?|SecretName|Buckets|Tables|Endpoint|url|Issuer|image|team|owner|costCenter|dataClass|tags|caCertificates)$"
    )
    named = {declared.key for declared in settings_of(AtlantisArgs) if passed_on.search(declared.key)}
    assert named == {declared.key for declared in ACCEPTING}


def test_an_output_where_the_value_decides_which_resources_exist_is_refused() -> None:
    messages: dict[str, str] = {}

    def run() -> None:
        output: Any = pulumi.Output.from_input("x")
        for declared in REFUSING:
            value = _OF_TYPE.get(declared.type, lambda item: item)(output)
            with pytest.raises(SettingsError) as refused:
                validate(
                    arguments(LOCAL | {"environment": "prod", declared.key: value}), name="platform", region=REGION
                )
            messages[declared.key] = str(refused.value)

    deploy(run)
    for declared in REFUSING:
        shown = {"array": "[<output>]", "object": "{'X': <output>}"}.get(declared.type, "<output>")
        assert (
            f"{declared.key} = {shown}: must be known before the deployment, because the stack"
            in messages[declared.key]
        )


def test_a_list_as_one_output_is_refused_with_what_to_write_instead() -> None:
    def run() -> None:
        ids: Any = pulumi.Output.from_input(EXISTING_VPC["publicSubnetIds"])
        Atlantis("atlantis", arguments(LOCAL | EXISTING_VPC | {"environment": "prod", "publicSubnetIds": ids}))

    message, _ = refusal(run)
    assert "publicSubnetIds = <output>: must be a list" in message
    assert "[ids[0], ids[1]]" in message


WRONG: list[tuple[str, Any, str]] = table(__file__, "wrong")


def refused_later(key: str, value: Callable[[], Any]) -> str:
    """The error with which the output at `key` fails."""

    def run() -> None:
        args = arguments(EVERYTHING | {key: value()})
        in_own_account(validate(args, name="platform", region=REGION), ACCOUNT, name="platform")

    return refusal(run)[0]


@pytest.mark.parametrize(("key", "value", "expected"), WRONG, ids=[f"{key}={value}" for key, value, _ in WRONG])
def test_a_wrong_value_fails_when_it_is_known(key: str, value: str, expected: str) -> None:
    good = EVERYTHING[key]
    message = refused_later(
        key,
        lambda: (
            [good[0], pulumi.Output.from_input(value)] if isinstance(good, list) else pulumi.Output.from_input(value)
        ),
    )
    assert message.startswith(
        "1 setting is invalid; nothing that depends on its value was changed. Fix the arguments of Atlantis 'platform'"
    )
    assert expected in message


def test_what_depends_on_a_wrong_value_is_not_registered() -> None:
    message, resources = refusal(program(lambda: EVERYTHING | {"acmCertificateArn": pulumi.Output.from_input("none")}))
    assert "acmCertificateArn = 'none': must be an ARN" in message
    assert [item.type for item in resources if item.type == "aws:lb/listenerRule:ListenerRule"] == []


def test_the_value_of_a_secret_output_is_never_shown() -> None:
    message = refused_later("oidcClientId", lambda: pulumi.Output.secret("s3cr3t with a space"))
    assert "oidcClientId = [secret]: the value isn't valid" in message
    assert "s3cr3t" not in message


NETWORKS: list[tuple[dict[str, Any], str]] = [
    ({"publicSubnetIds": ["subnet-00000000000000009", "subnet-00000000000000002"]}, "is of vpc-other, not of vpcId"),
    (
        {"privateSubnetIds": ["subnet-00000000000000003", "subnet-00000000000000001"]},
        "subnet-00000000000000001 is listed twice",
    ),
    (
        {"privateSubnetIds": ["subnet-00000000000000003", "subnet-0000000000000000a"]},
        "privateSubnetIds: 2 subnets are in ap-northeast-2a; list one for each zone",
    ),
]


@pytest.mark.parametrize(("change", "expected"), NETWORKS, ids=[expected for _, expected in NETWORKS])
def test_subnets_that_do_not_fit_fail_before_anything_uses_them(change: dict[str, Any], expected: str) -> None:
    message, resources = refusal(program(lambda: outputs_of(EVERYTHING | change)))
    assert expected in message
    assert [item.name for item in resources if "subnet-" in str(item.inputs)] == []


def test_named_endpoints_require_a_vpc_that_is_known() -> None:
    message, _ = refusal(program(lambda: outputs_of(EVERYTHING | {"vpcEndpoints": ["ecr.api"]})))
    assert "vpcEndpoints = ['ecr.api']: requires a vpcId and subnet IDs that are known" in message


def test_a_mapping_is_accepted_as_the_component_host_passes_it() -> None:
    args = arguments(EVERYTHING)
    nested = {name: value for name, value in dataclasses.asdict(args).items() if value is not None}
    assert validate(nested, name="platform", region=REGION).network.vpc_id == EXISTING_VPC["vpcId"]
    with pytest.raises(SettingsError, match=r"network\.colour: unknown setting"):
        validate(nested | {"network": {"colour": "blue"}}, name="platform", region=REGION)
