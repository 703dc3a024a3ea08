"""Sign-in at the load balancer: OpenID Connect, with a client secret from Secrets Manager."""

import functools
import json

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
    looked_up = functools.partial(_looked_up, parent)
    if isinstance(secret_name, str):
        return pulumi.Output.secret(looked_up(secret_name))
    return pulumi.Output.secret(pulumi.Output.from_input(secret_name).apply(looked_up))


def _looked_up(parent: pulumi.Resource, secret_name: str) -> str:
    options = pulumi.InvokeOptions(parent=parent)
    return _value(secret_name, aws.secretsmanager.get_secret_version(secret_id=secret_name, opts=options).secret_string)


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
