"""boto3 clients for what the AWS provider's resources and functions don't show, configured as the provider is."""

from typing import Any

import pulumi


def provider_client(service: str, region: str) -> Any:
    """A client with the settings of the default AWS provider (`aws:`): profile, keys, roles to assume, endpoints.

    Whatever isn't set there comes from the environment, for the provider as for boto3.
    """
    import boto3  # noqa: PLC0415 - a preview does without it
    from botocore.config import Config  # noqa: PLC0415

    config = pulumi.Config("aws")
    session = boto3.Session(
        profile_name=config.get("profile"),
        aws_access_key_id=config.get("accessKey"),
        aws_secret_access_key=config.get("secretKey"),
        aws_session_token=config.get("token"),
        region_name=region,
    )
    endpoints: dict[str, str] = {
        name: address for entry in config.get_object("endpoints") or [] for name, address in entry.items() if address
    }
    for role in config.get_object("assumeRoles") or []:
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
