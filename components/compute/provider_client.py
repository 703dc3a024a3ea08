"""boto3 clients with the AWS provider's configuration, for data that its resources and functions don't return."""

import json
from collections.abc import Mapping
from typing import Any

import pulumi

_TEXTS = {"profile": "profile", "accessKey": "access_key", "secretKey": "secret_key", "token": "token"}
"""Maps configuration keys of the default provider to attributes of an explicit provider."""


async def provider_settings(resource: pulumi.Resource) -> Mapping[str, Any]:
    """The settings of the AWS provider of the children of `resource`: an explicit or the default provider (`aws:`).

    Call it while a resource is being created or updated, when an explicit provider is known. The roles that an explicit
    provider assumes can't be read. If a program in another language passes its provider, no setting can be read.
    """
    provider = resource.get_provider("aws:index/provider:Provider")
    if provider is None:
        config = pulumi.Config("aws")
        objects = {name: config.get_object(name) for name in ("assumeRoles", "endpoints")}
        return {**{name: config.get(name) for name in _TEXTS}, **objects}
    texts = {name: await _value(provider, attribute) for name, attribute in _TEXTS.items()}
    return {**texts, "endpoints": json.loads(await _value(provider, "endpoints") or "null")}


async def _value(provider: pulumi.ProviderResource, attribute: str) -> Any:
    output = pulumi.get(provider, attribute)
    return await output.future() if isinstance(output, pulumi.Output) else None


def provider_client(service: str, region: str, settings: Mapping[str, Any]) -> Any:
    """A client with the `settings` of an AWS provider: profile, keys, roles to assume, endpoints.

    Settings that aren't set come from the environment, both for the provider and for boto3.
    """
    import boto3  # noqa: PLC0415 - a preview doesn't need it
    from botocore.config import Config  # noqa: PLC0415

    session = boto3.Session(
        profile_name=settings.get("profile"),
        aws_access_key_id=settings.get("accessKey"),
        aws_secret_access_key=settings.get("secretKey"),
        aws_session_token=settings.get("token"),
        region_name=region,
    )
    endpoints: dict[str, str] = {
        name: address for entry in settings.get("endpoints") or [] for name, address in entry.items() if address
    }
    for role in settings.get("assumeRoles") or []:
        optional = {"ExternalId": role.get("externalId")}
        credentials = session.client("sts", endpoint_url=endpoints.get("sts")).assume_role(
            RoleArn=role["roleArn"],
            RoleSessionName=role.get("sessionName") or "pulumi",
            **{name: value for name, value in optional.items() if value},
        )["Credentials"]
        session = boto3.Session(
            aws_access_key_id=credentials["AccessKeyId"],
            aws_secret_access_key=credentials["SecretAccessKey"],
            aws_session_token=credentials["SessionToken"],
            region_name=region,
        )
    return session.client(
        service, endpoint_url=endpoints.get(service), config=Config(retries={"mode": "standard", "max_attempts": 5})
    )
