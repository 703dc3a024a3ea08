"""remediation: changes what its configuration lists, where it is enabled, and nothing else."""

from typing import Any

import pytest
from google.protobuf import json_format

from tests.policy.servicer import UNKNOWN, Pack, Planned, analyze_request, secret

ON = {"remediation": {"enforcementLevel": "remediate", "tags": {"Owner": "platform"}, "retentionDays": 90}}
TAGGED = {"tags": {"Owner": "someone"}}


def changed(resource: Planned, configuration: dict[str, Any] = ON) -> dict[str, Any] | None:
    """The properties that the engine gets back; None where the policy changes nothing."""
    answer = Pack(configuration).servicer.Remediate(analyze_request(resource), None)
    assert not [each.diagnostic for each in answer.remediations if each.diagnostic]
    properties = [json_format.MessageToDict(each.properties) for each in answer.remediations]
    return properties[0] if properties else None


def _one(canonical: str, **properties: Any) -> Planned:
    kind = canonical.rpartition("/")[2]
    return Planned(f"aws:{canonical}:{kind[0].upper()}{kind[1:]}", "it", properties)


def _volume(**configuration: Any) -> dict[str, Any]:
    return {"name": "data", "efsVolumeConfiguration": {"fileSystemId": UNKNOWN, **configuration}}


@pytest.mark.parametrize(
    ("resource", "expected"),
    [
        (_one("kms/key", **TAGGED), {"enableKeyRotation": True}),
        (_one("kms/key", **TAGGED, enableKeyRotation=False), {"enableKeyRotation": True}),
        (_one("lb/loadBalancer", **TAGGED), {"dropInvalidHeaderFields": True}),
        (_one("cloudwatch/logGroup", **TAGGED), {"retentionInDays": 90}),
        (_one("cloudwatch/logGroup", **TAGGED, retentionInDays=0), {"retentionInDays": 90}),
        (
            _one("ecs/taskDefinition", **TAGGED, volumes=[_volume()]),
            {"volumes": [_volume(transitEncryption="ENABLED")]},
        ),
        (_one("efs/fileSystem", encrypted=True), {"tags": {"Owner": "platform"}}),
        (_one("efs/fileSystem", tags={"Team": "a"}), {"tags": {"Team": "a", "Owner": "platform"}}),
        (_one("efs/fileSystem", tags={"Team": UNKNOWN}), {"tags": {"Team": UNKNOWN, "Owner": "platform"}}),
        (_one("efs/fileSystem", tags={"Team": secret("a")}), {"tags": {"Team": secret("a"), "Owner": "platform"}}),
    ],
)
def test_what_is_missing_is_filled_in_and_the_rest_is_kept(resource: Planned, expected: dict[str, Any]) -> None:
    assert changed(resource) == {**resource.properties, **expected}


@pytest.mark.parametrize(
    "resource",
    [
        _one("kms/key", **TAGGED, enableKeyRotation=True),
        _one("kms/key", **TAGGED, enableKeyRotation=UNKNOWN),
        _one("kms/key", **TAGGED, customerMasterKeySpec="RSA_2048"),
        _one("lb/loadBalancer", **TAGGED, loadBalancerType="network"),
        _one("cloudwatch/logGroup", **TAGGED, retentionInDays=7),
        _one("ecs/taskDefinition", **TAGGED, volumes=[_volume(transitEncryption="ENABLED")]),
        _one("efs/fileSystem", tags=UNKNOWN),
        _one("iam/rolePolicy", role="r"),
        Planned("kubernetes:core/v1:Pod", "it", {}),
        Planned("aws:efs/fileSystem:FileSystem", "it", {}, provider={"defaultTags": {"tags": {"Owner": "a"}}}),
    ],
)
def test_what_is_right_or_unknown_stays_as_it_is(resource: Planned) -> None:
    assert changed(resource) is None


def test_it_is_off_by_default_and_changes_only_what_is_chosen() -> None:
    key = _one("kms/key")
    assert changed(key, {}) is None
    assert changed(key, {"remediation": {"enforcementLevel": "remediate", "fixes": ["log-retention"]}}) is None
    assert changed(key, {"remediation": {"enforcementLevel": "remediate"}}) == {"enableKeyRotation": True}


def test_an_exempted_resource_stays_as_it_is() -> None:
    exemption = {"resource": "it", "reason": "It is replaced next week.", "expires": "2099-01-01"}
    assert changed(_one("kms/key"), {"remediation": {**ON["remediation"], "exemptions": [exemption]}}) is None
