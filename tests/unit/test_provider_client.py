"""The deployment check asks ECS as the AWS provider does: an explicit provider of the component, or the default one."""

import json
from collections.abc import Callable
from typing import Any

import pulumi
import pulumi_aws as aws

from components.compute.provider_client import provider_client, provider_settings
from tests.unit.recording import deploy

ROLE = {"roleArn": "arn:aws:iam::210987654321:role/deployer", "externalId": "atlantis"}
ENDPOINTS = [{"ecs": "http://127.0.0.1:4510", "sts": "http://127.0.0.1:4511"}]
NOTHING = dict.fromkeys(("profile", "accessKey", "secretKey", "token", "assumeRoles", "endpoints"))
CONFIGURATION = {
    "aws:profile": "production",
    "aws:assumeRoles": json.dumps([ROLE]),
    "aws:endpoints": json.dumps(ENDPOINTS),
}


def _seen(options: Callable[[], pulumi.ResourceOptions], **configuration: str) -> dict[str, Any]:
    """The settings that a part of a component sees; `options` are the component's."""

    def program() -> None:
        pulumi.runtime.set_all_config(configuration)
        whole = pulumi.ComponentResource("test:index:Whole", "whole", None, options())
        part = pulumi.ComponentResource("test:index:Part", "part", None, pulumi.ResourceOptions(parent=whole))
        pulumi.CustomResource(
            "test:index:Note", "note", {"settings": pulumi.Output.from_input(provider_settings(part))}
        )

    return {**NOTHING, **deploy(program).one("test:index:Note").inputs["settings"]}


def test_without_an_explicit_provider_the_component_has_the_configurations() -> None:
    expected = {**NOTHING, "profile": "production", "assumeRoles": [ROLE], "endpoints": ENDPOINTS}
    assert _seen(pulumi.ResourceOptions, **CONFIGURATION) == expected


def test_a_provider_of_the_component_counts_and_the_configuration_does_not() -> None:
    # Its roles are among what the SDK doesn't hand back; the deployment check says so where they matter.
    def options() -> pulumi.ResourceOptions:
        provider = aws.Provider(
            "elsewhere",
            access_key="AKIAIOSFODNN7EXAMPLE",
            secret_key="not-a-key",
            assume_roles=[aws.ProviderAssumeRoleArgs(role_arn=ROLE["roleArn"], external_id=ROLE["externalId"])],
            endpoints=[aws.ProviderEndpointArgs(**ENDPOINTS[0])],
        )
        return pulumi.ResourceOptions(provider=provider)

    assert _seen(options, **CONFIGURATION) == {
        **NOTHING,
        "accessKey": "AKIAIOSFODNN7EXAMPLE",
        "secretKey": "not-a-key",
        "endpoints": ENDPOINTS,
    }


def test_the_client_has_the_providers_keys_and_endpoint() -> None:
    settings = {"accessKey": "AKIAIOSFODNN7EXAMPLE", "secretKey": "not-a-key", "endpoints": ENDPOINTS}
    client = provider_client("ecs", "ap-northeast-2", settings)
    assert client.meta.endpoint_url == "http://127.0.0.1:4510"
    assert client._request_signer._credentials.access_key == "AKIAIOSFODNN7EXAMPLE"
