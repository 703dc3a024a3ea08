"""No check of the whole stack grows faster than the stack: calls are counted, because seconds depend on the machine."""

import json
import sys
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from evaluation.evaluation_log import EVALUATION_LOG
from evaluation.resources import Stack
from evaluation.rule import Findings, Rule
from policies.catalogue import RULES
from tests.policy.rows import allow, document, one
from tests.policy.servicer import Planned

COPIES = 1_000
STACK_RULES = [rule for rule in RULES if rule.whole_stack is not None]
ATLANTIS = {
    "name": "atlantis",
    "image": "ghcr.io/runatlantis/atlantis:v0.47.1",
    "mountPoints": [{"sourceVolume": "data"}],
}


def _copy(number: int) -> Iterator[Planned]:
    """One tenant of a large stack: everything that refers to something else, by ID or by the engine's record."""
    n = str(number)
    arn = f"arn:aws:ecs:eu-west-1:123456789012:task-definition/task-{n}"
    yield one("ec2/securityGroup", f"group-{n}", id=f"sg-{n}")
    yield one(
        "vpc/securityGroupIngressRule", f"rule-{n}", securityGroupId=f"sg-{n}", ipProtocol="tcp", cidrIpv4="0.0.0.0/0"
    )
    yield one("ec2/vpc", f"vpc-{n}", id=f"vpc-{n}", cidrBlock=f"10.{number % 250}.0.0/16")
    yield one("lb/loadBalancer", f"balancer-{n}", arn=f"arn:lb-{n}", securityGroups=[f"sg-{n}"])
    yield one("lb/listener", f"listener-{n}", arn=f"arn:l-{n}", loadBalancerArn=f"arn:lb-{n}", protocol="HTTP", port=80)
    yield one("lb/listenerRule", f"listener-rule-{n}", listenerArn=f"arn:l-{n}", actions=[{"type": "forward"}])
    yield one("s3/bucket", f"bucket-{n}", bucket=f"b-{n}")
    yield one("s3/bucketPolicy", f"bucket-policy-{n}", bucket=f"b-{n}", policy=document(allow(Principal="*")))
    yield one("s3/bucketLogging", f"logging-{n}", bucket=f"b-{n}", targetBucket=f"b-{n}")
    yield one("iam/role", f"role-{n}", name=f"role-{n}", managedPolicyArns=[])
    yield one("iam/rolePolicy", f"role-policy-{n}", role=f"role-{n}", policy=document(allow(Action="ecs:RunTask")))
    yield one("iam/user", f"user-{n}", name=f"user-{n}")
    yield one("iam/groupMembership", f"membership-{n}", users=[f"user-{n}"], group="everyone")
    yield one("lambda/function", f"function-{n}", role=f"arn:role-{n}", environment={"variables": {"TASK": f"{arn}:1"}})
    yield one("ecs/cluster", f"cluster-{n}", name=f"cluster-{n}")
    yield one(
        "ecs/service",
        f"service-{n}",
        name=f"service-{n}",
        cluster=f"cluster-{n}",
        taskDefinition=f"{arn}:1",
        desiredCount=1,
    )
    yield one(
        "ecs/taskDefinition",
        f"task-{n}",
        family=f"task-{n}",
        arn=f"{arn}:1",
        volumes=[{"name": "data", "efsVolumeConfiguration": {"fileSystemId": "fs-shared", "rootDirectory": f"/{n}"}}],
        containerDefinitions=json.dumps([ATLANTIS]),
    )
    yield one("appautoscaling/target", f"scaling-{n}", resourceId=f"service/cluster-{n}/service-{n}", maxCapacity=2)
    yield one("scheduler/schedule", f"schedule-{n}", target={"ecsParameters": {"taskDefinitionArn": f"{arn}:1"}})
    yield one("efs/fileSystem", f"files-{n}", id=f"fs-{n}", arn=f"arn:fs-{n}")
    yield one("efs/fileSystemPolicy", f"files-policy-{n}", fileSystemId=f"fs-{n}", policy=document(allow()))
    yield one("backup/selection", f"selection-{n}", resources=[f"arn:fs-{n}"])
    yield one("kms/key", f"key-{n}", arn=f"arn:key-{n}", keyId=f"key-{n}")
    yield one("kms/alias", f"alias-{n}", name=f"alias/a-{n}", targetKeyId=f"key-{n}")
    yield one("sqs/queue", f"queue-{n}", kmsMasterKeyId=f"alias/a-{n}")
    yield one("ebs/volume", f"volume-{n}", id=f"vol-{n}")
    yield one("ebs/snapshot", f"snapshot-{n}", id=f"snap-{n}", volumeId=f"vol-{n}")
    yield one("ebs/snapshotCopy", f"copy-{n}", sourceSnapshotId=f"snap-{n}")
    yield one("apigateway/vpcLink", f"link-{n}", id=f"link-{n}")
    yield one("apigateway/integration", f"integration-{n}", connectionId=f"link-{n}", restApi=f"api-{n}")
    yield one("apigateway/restApi", f"api-{n}", id=f"api-{n}")
    yield one("ec2/vpcEndpointService", f"endpoint-{n}", networkLoadBalancerArns=[f"arn:lb-{n}"])
    yield one("ecr/repository", f"repository-{n}", name=f"repository-{n}")


def _stack(copies: int) -> Callable[[], Stack]:
    """A new stack each time, so that no index of an earlier evaluation is there."""
    group = one("iam/group", "everyone", name="everyone")
    planned = [group, *(each for number in range(copies) for each in _copy(number))]
    sources = [
        SimpleNamespace(
            resource_type=each.type,
            props=each.properties,
            urn=each.identity,
            name=each.name,
            opts=SimpleNamespace(protect=False),
            property_dependencies={},
            provider=None,
        )
        for each in planned
    ]
    return lambda: Stack(sources, native=True)


def _calls(rule: Rule, stack: Stack, settings: Any) -> int:
    """The number of calls that the evaluation makes, of functions written in Python and in C."""
    count = 0

    def counting(_frame: object, event: str, _argument: object) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    check = rule.whole_stack
    assert check is not None
    findings = Findings(rule, settings, lambda _message, _urn=None: None)
    sys.setprofile(counting)
    try:
        check(stack, findings)
    finally:
        sys.setprofile(None)
        EVALUATION_LOG.drain()
    return count


@pytest.fixture(scope="module")
def stacks() -> tuple[Callable[[], Stack], Callable[[], Stack]]:
    """The stack, and one that is twice as large."""
    return _stack(COPIES), _stack(2 * COPIES)


@pytest.mark.parametrize("rule", STACK_RULES, ids=lambda rule: rule.name)
def test_check_of_the_whole_stack_grows_as_the_stack(
    rule: Rule, stacks: tuple[Callable[[], Stack], Callable[[], Stack]]
) -> None:
    small, large = (_calls(rule, stack(), rule.read({})) for stack in stacks)
    assert large <= 2.1 * small


def test_lookup_of_exemptions_does_not_read_the_others(stacks: tuple[Callable[[], Stack], Callable[[], Stack]]) -> None:
    rule = next(rule for rule in RULES if rule.name == "encryption-stack")
    alone, exempt = (_calls(rule, stacks[0](), rule.read(given)) for given in ({}, _baseline(stacks[0]())))
    assert exempt <= 1.2 * alone


def _baseline(stack: Stack) -> dict[str, Any]:
    entry = {"reason": "Baseline: the finding existed before.", "expires": "2099-01-01"}
    return {"exemptions": [{"resource": resource.urn, **entry} for resource in stack]}
