"""Rules on the whole graph of several stacks: parents, tags, protection, paths through the network, order, secrets, names."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest

from tests.tables import table
from tests.unit.recording import Graph, Registered
from tests.unit.stacks import ALL, TAGS, stack

INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
EGRESS = "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule"
COMPONENT = "atlantis:index:"
WORKERS = ("network-plan-workers-id", "network-apply-workers-id")


@pytest.fixture(params=ALL, scope="module")
def which(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def graph(which: str) -> Graph:
    return stack(**ALL[which])


def _component_classes(base: type = pulumi.ComponentResource) -> Iterator[type]:
    for subclass in base.__subclasses__():
        yield subclass
        yield from _component_classes(subclass)


def test_every_component_registers_every_output_that_its_class_declares(graph: Graph) -> None:
    classes = {c.__name__: c for c in _component_classes() if "components" in c.__module__.split(".")}
    components = [(r.name, r.type) for r in graph.resources if r.type.startswith(COMPONENT)]
    for name, kind in components:
        declared = classes[kind.removeprefix(COMPONENT)].__annotations__
        required = {
            output
            for output, hint in declared.items()
            if re.search(r"(Out|In)put\[", str(hint)) and not re.search("None|Optional", str(hint))
        }
        registered = {_snake(output) for output in graph.component_outputs[name, kind]}
        assert required <= registered, f"{kind} {name} declares {required - registered}"


def _snake(name: str) -> str:
    return re.sub(r"([A-Z])", lambda match: f"_{match[1].lower()}", name)


def test_no_two_resources_of_a_type_have_one_name(graph: Graph) -> None:
    identities = [(resource.type, resource.name) for resource in graph.resources]
    assert len(set(identities)) == len(identities)


def test_every_resource_has_a_component_as_parent(graph: Graph) -> None:
    orphans = [
        resource.name
        for resource in graph.resources
        if not resource.type.startswith(COMPONENT) and not resource.parent_type.startswith(COMPONENT)
    ]
    assert orphans == []


def test_components_stand_in_atlantis_or_in_the_component_that_they_serve(graph: Graph) -> None:
    nested = {
        (resource.type.removeprefix(COMPONENT), resource.parent_type.removeprefix(COMPONENT))
        for resource in graph.resources
        if resource.type.startswith(COMPONENT)
    }
    outer = [component for component, parent in nested if parent == "Atlantis"]
    assert {inner for inner in nested if inner[1] not in ("", "Atlantis")} <= {
        ("CustomerKey", "Storage"),
        ("CustomerKey", "Secrets"),
        ("CustomerKey", "Compute"),
        ("CustomerKey", "Locking"),
        ("Backup", "Storage"),
        ("CustomerKey", "Backup"),
        ("CustomerKey", "FlowLogs"),
        ("FlowLogs", "NewVpc"),
        ("AccessLogs", "Ingress"),
        ("Certificate", "Ingress"),
    }
    assert [component for component, parent in nested if not parent] == ["Atlantis"]
    assert sorted(set(outer) - {"NewVpc", "Locking", "LogArchive", "Alarms", "WorkerMetrics"}) == [
        "Compute",
        "Dashboard",
        "Ingress",
        "Network",
        "Permissions",
        "Secrets",
        "Storage",
    ]


def takes_tags(resource_type: str) -> bool:
    """Whether the SDK's class for this type has tags."""
    if resource_type == "awsx:ec2:Vpc":
        return True
    package, path, class_name = resource_type.split(":")
    if package != "aws":
        return False
    return hasattr(getattr(getattr(aws, path.split("/")[0]), class_name), "tags")


def test_everything_that_takes_tags_has_the_settings_tags_and_no_others(graph: Graph, which: str) -> None:
    own = {
        "production": {
            "CostCenter": "platform-infrastructure",
            "Team": "payments",
            "cost:unit": "앱",
            "Owner": "sre",
            "DataClass": "restricted",
        },
        "largest": {"Environment": "e" * 14, "Team": "t" * 256, "Owner": "o" * 256, "CostCenter": "c" * 256},
    }
    expected = TAGS | own.get("largest" if which == "isolated" else which, {})
    tagged = {resource.name: resource.inputs.get("tags") for resource in graph.resources if takes_tags(resource.type)}
    wrong = {name: tags for name, tags in tagged.items() if not tags or tags | {"Name": ""} != expected | {"Name": ""}}
    assert wrong == {}
    assert len(tagged) > 30


def test_only_what_consoles_list_without_a_name_has_a_name_tag(graph: Graph) -> None:
    named = {resource.type for resource in graph.resources if "Name" in resource.inputs.get("tags", {})}
    assert named <= {
        "awsx:ec2:Vpc",
        "aws:ec2/securityGroup:SecurityGroup",
        "aws:ec2/flowLog:FlowLog",
        "aws:ec2/vpcEndpoint:VpcEndpoint",
        "aws:efs/fileSystem:FileSystem",
        "aws:efs/accessPoint:AccessPoint",
    }


def paths_into(graph: Graph, group: str) -> list[tuple[Any, ...]]:
    """Source (a group's id or a range), first and last port of every rule into a group."""
    return [
        (
            inputs.get("referencedSecurityGroupId") or inputs.get("cidrIpv4") or inputs["cidrIpv6"],
            inputs["fromPort"],
            inputs["toPort"],
        )
        for inputs in (rule.inputs for rule in graph.all(INGRESS))
        if inputs["securityGroupId"] == group
    ]


def test_each_group_is_reached_on_one_port_by_whom_it_is_for_and_by_nobody_else(graph: Graph, which: str) -> None:
    task, port = "network-ecs-tasks-id", ALL[which].get("containerPort", 4141)
    expected = {
        task: [("network-alb-id", port, port)],
        "network-efs-id": [(task, 2049, 2049)],
        "network-redis-id": [(task, 6379, 6379)] if "lockingDatabase" in ALL[which] else [],
        **dict.fromkeys(WORKERS, [(task, 4142, 4142)] if which == "isolated" else []),
    }
    assert {group: paths_into(graph, group) for group in expected} == expected


def test_the_load_balancer_is_reached_on_443_and_80_from_ranges_narrower_than_the_internet(graph: Graph) -> None:
    paths = paths_into(graph, "network-alb-id")
    assert {first for _, first, _ in paths} == {443, 80}
    assert all(first == last for _, first, last in paths)
    assert not [source for source, _, _ in paths if source.endswith("/0") or source.endswith("/1")]


def test_groups_let_out_only_what_is_named(graph: Graph) -> None:
    outward = {
        (inputs["securityGroupId"], inputs.get("referencedSecurityGroupId") or inputs["cidrIpv4"], inputs["toPort"])
        for inputs in (rule.inputs for rule in graph.all(EGRESS))
    }
    task = "network-ecs-tasks-id"
    (container_port,) = {port for group, _, port in outward if group == "network-alb-id"}
    assert outward <= {
        ("network-alb-id", task, container_port),
        (task, "0.0.0.0/0", 443),
        (task, "network-efs-id", 2049),
        (task, "network-redis-id", 6379),
        (task, "network-vpc-endpoints-id", 443),
        *((task, workers, 4142) for workers in WORKERS),
        *((workers, "0.0.0.0/0", 443) for workers in WORKERS),
        *((workers, "network-vpc-endpoints-id", 443) for workers in WORKERS),
    }


def test_every_group_and_rule_has_a_description_that_ec2_takes(graph: Graph) -> None:
    described = graph.all(INGRESS) + graph.all(EGRESS) + graph.all("aws:ec2/securityGroup:SecurityGroup")
    pattern = re.compile(r"[a-zA-Z0-9 ._\-:/()#,@\[\]+=&;{}!$*]{1,255}")
    assert [rule.name for rule in described if not pattern.fullmatch(rule.inputs["description"])] == []


def test_no_group_has_inline_rules(graph: Graph) -> None:
    groups = graph.all("aws:ec2/securityGroup:SecurityGroup")
    assert [group.name for group in groups if {"ingress", "egress"} & group.inputs.keys()] == []


def test_what_holds_data_is_protected_and_nothing_else(graph: Graph, which: str) -> None:
    holds_data = {
        "aws:kms/key:Key",
        "aws:efs/fileSystem:FileSystem",
        "aws:ecr/repository:Repository",
        "aws:elasticache/replicationGroup:ReplicationGroup",
        "aws:backup/vault:Vault",
        "aws:secretsmanager/secret:Secret",
        "aws:s3/bucket:Bucket",
    }
    # The page's password and the workers' key are generated, and end with a setting that may be taken back.
    expected = {resource.name for resource in graph.resources if resource.type in holds_data and which != "bare"} - {
        "secrets-web-password",
        "secrets-workers",
    }
    assert {resource.name for resource in graph.resources if resource.protect} == expected


def waits_for(graph: Graph, resource: Registered) -> set[str]:
    return {other.type for other in graph.resources if other.name in resource.depends_on}


def test_the_service_waits_for_mounts_routes_and_rights(graph: Graph) -> None:
    needed = [
        *graph.all("aws:efs/mountTarget:MountTarget"),
        *graph.all("aws:efs/fileSystemPolicy:FileSystemPolicy"),
        *graph.all("aws:lb/listenerRule:ListenerRule"),
        graph.one("aws:lb/listener:Listener", "ingress-https"),
        graph.one("aws:iam/rolePolicy:RolePolicy", "permissions-execution-secrets"),
        *graph.all("aws:iam/rolePolicyAttachment:RolePolicyAttachment"),
        *graph.all("aws:secretsmanager/secretVersion:SecretVersion"),
        graph.one("aws:ecs/clusterCapacityProviders:ClusterCapacityProviders"),
    ]
    for service in graph.all("aws:ecs/service:Service"):
        assert {resource.name for resource in needed} <= set(service.depends_on), service.name


def test_the_log_group_waits_for_the_key_that_admits_it(graph: Graph) -> None:
    for group in graph.all("aws:cloudwatch/logGroup:LogGroup"):
        assert "aws:kms/key:Key" in waits_for(graph, group)


def test_nothing_that_changes_is_ignored_but_the_minor_version_that_aws_raises(graph: Graph) -> None:
    ignored = {(resource.name, key) for resource in graph.resources for key in resource.ignore_changes}
    assert ignored <= {("locking-redis", "engineVersion")}


def test_the_generated_secret_stands_in_inputs_marked_secret_only(graph: Graph) -> None:
    clear = [
        f"{resource.name}.{key}"
        for resource in graph.resources
        for key, value in resource.inputs.items()
        if "generated-secret-value" in json.dumps(value) and key not in resource.secret_inputs
    ]
    assert clear == []
    assert "generated-secret-value" not in json.dumps(graph.outputs)


LONGEST_NAMES = table(__file__, "longest_names")
"""The names that AWS takes."""


def test_every_physical_name_is_one_that_aws_takes(graph: Graph) -> None:
    refused = [
        resource.inputs[key]
        for resource_type, (key, pattern) in LONGEST_NAMES.items()
        for resource in graph.all(resource_type)
        if not re.fullmatch(pattern, resource.inputs[key], re.ASCII)
    ]
    assert refused == []


def test_every_tag_is_one_that_aws_takes(graph: Graph) -> None:
    values = {value for resource in graph.resources for value in resource.inputs.get("tags", {}).values()}
    assert [value for value in values if not re.fullmatch(r"[\w .:/=+@-]{1,256}", value)] == []
