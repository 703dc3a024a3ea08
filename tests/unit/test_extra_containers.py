"""extraContainers: what they are in the task definition, what they may read, and what Terraform may not."""

import json
from typing import Any

from components.settings.extra_containers import STACKS_OWN
from tests.unit.authorities import authority
from tests.unit.isolated import ISOLATED, containers_of
from tests.unit.shapes import METRICS
from tests.unit.shapes import SLEEPER as LEAST
from tests.unit.stacks import PRODUCTION, arn, stack
from tests.unit.test_settings import parse, problems

SECRET = arn("secretsmanager", "secret:metrics/key-AbCdEf")
EXTRA: dict[str, Any] = {"extraContainers": [METRICS, LEAST]}


def test_the_names_of_the_stacks_own_containers_are_known() -> None:
    graphs = [stack(**ISOLATED, caCertificates=authority()), stack(**PRODUCTION)]
    assert {name for graph in graphs for name in containers_of(graph)} == set(STACKS_OWN)


def test_a_parameter_needs_the_endpoint_of_a_new_vpc() -> None:
    secret = LEAST | {"secrets": {"KEY": SECRET}}
    assert "network-endpoint-ssm" not in stack(extraContainers=[secret]).names("aws:ec2/vpcEndpoint:VpcEndpoint")


def test_a_container_as_root_is_warned_about() -> None:
    warnings = stack(extraContainers=[LEAST | {"user": "0:0"}]).warnings
    assert any("extraContainers: sleeper runs as root" in warning for warning in warnings)
    assert not any("runs as root" in warning for warning in stack(**EXTRA).warnings)


def test_a_missing_key_and_what_is_no_object_are_refused() -> None:
    assert problems({"extraContainers": [{"name": "sleeper"}]}) == ["extraContainers: item 1 (sleeper) has no image"]
    assert "item 2 must be an object with the keys name, image" in problems({"extraContainers": [LEAST, "busybox"]})[0]
    assert "must be a list" in problems({"extraContainers": json.dumps(LEAST)})[0]
    six = [LEAST | {"name": f"a{number}"} for number in range(6)]
    assert problems({"extraContainers": six}) == ["extraContainers: must have at most 5 items, not 6"]


def test_no_message_shows_what_may_be_a_secret() -> None:
    secret = LEAST | {"environment": {"TOKEN": "hunter2"}}
    for wrong in (secret, secret | {"cpu": "x"}, secret | {"colour": "blue"}):
        (problem,) = problems({"extraContainers": [wrong]})
        assert "hunter2" not in problem


def test_the_stack_file_has_them_as_yaml_or_as_the_engine_passes_it() -> None:
    for given in ([METRICS], json.dumps([METRICS])):
        (found,) = parse({"extraContainers": given}).task.extra_containers
        assert (found.name, found.entry_point, found.memory) == ("metrics", ("/metrics",), 128)
