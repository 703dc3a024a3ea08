"""The settings of the sign-in to the web page."""

from urllib.parse import urlsplit

from pulumi import Input

from . import accepted, values
from .schema import Group, group, setting


@group
class SignInArgs(Group):
    """Sign-in to the web page: at an OpenID Connect provider, or with a generated password."""

    web_basic_auth: bool = setting(values.boolean, default=True)
    """Require a generated password for the web page. Not used with oidcIssuer"""
    web_password_generation: int = setting(accepted.generation, default=1)
    """Increase this number for a new password of the web page"""
    oidc_issuer: Input[str] | None = setting(values.https_endpoint, default=None)
    """Issuer URL of the OpenID Connect provider for the sign-in. Empty: no provider"""
    oidc_authorization_endpoint: Input[str] | None = setting(values.https_endpoint, default=None)
    """authorization_endpoint in the provider's discovery document. Only with oidcIssuer"""
    oidc_token_endpoint: Input[str] | None = setting(values.https_endpoint, default=None)
    """token_endpoint in the provider's discovery document. Only with oidcIssuer"""
    oidc_user_info_endpoint: Input[str] | None = setting(values.https_endpoint, default=None)
    """userinfo_endpoint in the provider's discovery document. Only with oidcIssuer"""
    oidc_client_id: Input[str] | None = setting(accepted.oidc_client_id, default=None)
    """ID of the client that you registered at the provider with the redirect URI <url>/oauth2/idpresponse. Only with
    oidcIssuer"""
    oidc_client_secret_name: Input[str] | None = setting(accepted.secret_name, default=None)
    """Name of an existing secret with client_secret. Only with oidcIssuer"""
    oidc_scope: str = setting(accepted.oidc_scope, default="openid")
    """Scopes to request, separated by spaces. Only with oidcIssuer"""
    oidc_session_hours: int = setting(values.integer(range(1, 169)), default=12)
    """Hours until a session expires, 1 to 168. Only with oidcIssuer"""

    @property
    def generates_password(self) -> bool:
        """Whether the stack generates a password, which the server requires."""
        return self.web_basic_auth and self.oidc_issuer is None

    @property
    def provider_ports(self) -> list[int]:
        """The ports of the endpoints that the load balancer requests, 443 for outputs. The browser requests the other one."""
        requested = (self.oidc_token_endpoint, self.oidc_user_info_endpoint) if self.oidc_issuer is not None else ()
        return sorted({(urlsplit(each).port if isinstance(each, str) else None) or 443 for each in requested})
