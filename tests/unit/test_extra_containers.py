"""extraContainers: what they are in the task definition, what they may read, and what Terraform may not."""

import json

from components.settings.extra_containers import STACKS_OWN
from tests.unit.authorities import authority
from tests.unit.isolated import ISOLATED, containers_of
from tests.unit.shapes import METRICS
from tests.unit.shapes import SLEEPER as LEAST
from tests.unit.stacks import PRODUCTION, arn, stack
from tests.unit.test_settings import parse

SECRET = arn("secretsmanager", "secret:metrics/key-AbCdEf")


def test_the_names_of_the_stacks_own_containers_are_known() -> None:
    graphs = [stack(**ISOLATED, caCertificates=authority()), stack(**PRODUCTION)]
    assert {name for graph in graphs for name in containers_of(graph)} == set(STACKS_OWN)


def test_a_parameter_needs_the_endpoint_of_a_new_vpc() -> None:
    secret = LEAST | {"secrets": {"KEY": SECRET}}
    assert "network-endpoint-ssm" not in stack(extraContainers=[secret]).names("aws:ec2/vpcEndpoint:VpcEndpoint")


def test_the_stack_file_has_them_as_yaml_or_as_the_engine_passes_it() -> None:
    for given in ([METRICS], json.dumps([METRICS])):
        (found,) = parse({"extraContainers": given}).task.extra_containers
        assert (found.name, found.entry_point, found.memory) == ("metrics", ("/metrics",), 128)
