"""Sign-in at the load balancer: OpenID Connect, with a client secret from Secrets Manager."""

import json
from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from ..settings.groups import SignInArgs

CLIENT_SECRET_KEY = "client_secret"  # noqa: S105 - the name of a key


def authenticate(settings: SignInArgs, parent: pulumi.Resource) -> aws.lb.ListenerRuleActionArgsDict | None:
    """The listener rule action that requires users to sign in at the identity provider; None without a provider."""
    if settings.oidc_issuer is None or settings.oidc_client_secret_name is None:
        return None
    return {
        "type": "authenticate-oidc",
        "order": 1,
        "authenticate_oidc": {
            "issuer": settings.oidc_issuer,
            "authorization_endpoint": settings.oidc_authorization_endpoint or "",
            "token_endpoint": settings.oidc_token_endpoint or "",
            "user_info_endpoint": settings.oidc_user_info_endpoint or "",
            "client_id": settings.oidc_client_id or "",
            "client_secret": _client_secret(settings.oidc_client_secret_name, parent),
            "scope": settings.oidc_scope,
            "session_timeout": settings.oidc_session_hours * 3600,
            "on_unauthenticated_request": "authenticate",
        },
    }


def _client_secret(secret_name: pulumi.Input[str], parent: pulumi.Resource) -> pulumi.Output[str]:
    """The value in the existing secret. Load balancers don't accept a reference, so the state contains it, encrypted.

    Raises:
        pulumi.RunError: the secret has no such key. The message doesn't contain its value.
    """
    if isinstance(secret_name, str):
        options = pulumi.InvokeOptions(parent=parent)
        text = aws.secretsmanager.get_secret_version(secret_id=secret_name, opts=options).secret_string
        return pulumi.Output.secret(_value(secret_name, text))
    found = aws.secretsmanager.get_secret_version_output(
        secret_id=secret_name, opts=pulumi.InvokeOutputOptions(parent=parent)
    )
    return pulumi.Output.secret(pulumi.Output.all(secret_name, found.secret_string).apply(_value_of_output))


def _value_of_output(known: Sequence[str]) -> str:
    return _value(known[0], known[1])


def _value(secret_name: str, text: str) -> str:
    try:
        value = json.loads(text)[CLIENT_SECRET_KEY]
    except (KeyError, TypeError, ValueError):
        value = None
    if not isinstance(value, str) or not value:
        # The cause is omitted, because its message may contain the secret.
        raise pulumi.RunError(
            f'The secret {secret_name} must hold a JSON object such as {{"{CLIENT_SECRET_KEY}": "..."}}, with the client secret '
            "that the identity provider has issued"
        ) from None
    return value
