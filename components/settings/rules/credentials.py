"""Rules for secrets and for the sign-in."""

from collections.abc import Iterator

from ..arguments import Settings
from ..problem import Problem, Rule
from ..schema import changed, is_default, key_of


def _webhook_secret(settings: Settings) -> Iterator[Problem]:
    server = settings.server
    if server.webhook_secret_name and not is_default(server, "webhook_secret_generation"):
        yield Problem(
            dict.fromkeys(("webhookSecretName", "webhookSecretGeneration")),
            "a generation applies only to a secret that the stack generates; remove one of the two",
        )


def _secret_readers(settings: Settings) -> Iterator[Problem]:
    server = settings.server
    what, key = (
        ("the GitHub App's secret", "githubAppSecretName")
        if settings.vcs.is_app
        else ("the secret with the user's token", "vcsTokenSecretName")
    )
    created = {
        f"{what} (or set {key})": not settings.credentials_secret_name,
        "the webhook secret (or set webhookSecretName)": not server.webhook_secret_name,
        "the web page's password": settings.sign_in.generates_password,
        "the locking database's password": settings.storage.uses_redis,
        "the secret of the server's API, for drift detection": settings.drift.enabled,
    }
    if any(created.values()) and not server.secret_reader_arns:
        yield Problem(
            {"secretReaderArns": None},
            "missing; must list the roles or users that deploy the stack, because only they and the task can read the secrets that "
            "it creates: "
            f"{', '.join(what for what, is_created in created.items() if is_created)}. `aws sts get-caller-identity` prints your identity; "
            "for arn:aws:sts::<account>:assumed-role/<role>/<session>, use arn:aws:iam::<account>:role/<role>",
        )


_OIDC_REQUIRED = (
    *("oidc_authorization_endpoint", "oidc_token_endpoint", "oidc_user_info_endpoint"),
    *("oidc_client_id", "oidc_client_secret_name"),
)


def _oidc(settings: Settings) -> Iterator[Problem]:
    sign_in = settings.sign_in
    if sign_in.oidc_issuer is None:
        for key, value in changed(sign_in, *_OIDC_REQUIRED, "oidc_scope", "oidc_session_hours").items():
            yield Problem({key: value}, "requires oidcIssuer; set oidcIssuer, or remove it")
        return
    missing = [key_of(field) for field in _OIDC_REQUIRED if getattr(sign_in, field) is None]
    if missing:
        issuer = sign_in.oidc_issuer.rstrip("/") if isinstance(sign_in.oidc_issuer, str) else "<oidcIssuer>"
        yield Problem(
            {"oidcIssuer": sign_in.oidc_issuer},
            f"also requires {', '.join(missing)}; the endpoints are in {issuer}/.well-known/openid-configuration",
        )


def of_provider_ports(registered: Settings, known: Settings, key: str, value: object) -> Iterator[Problem]:
    """An output whose port the load balancer's security group doesn't allow, because it was not known before the deployment."""
    allowed = registered.sign_in.provider_ports
    if other := sorted(set(known.sign_in.provider_ports) - set(allowed)):
        yield Problem(
            {key: value},
            f"must use port {' or '.join(map(str, allowed))}, not {other[0]}: the load balancer's security group opens other ports "
            "only for plain values, because a port decides which rules exist; use a plain value instead of an output",
        )


def _web_password(settings: Settings) -> Iterator[Problem]:
    sign_in = settings.sign_in
    if not sign_in.generates_password and not is_default(sign_in, "web_password_generation"):
        yield Problem(
            {"webPasswordGeneration": sign_in.web_password_generation},
            "isn't used if webBasicAuth is false or oidcIssuer is set, because then no password is generated; remove it",
        )


RULES: tuple[Rule, ...] = (
    _webhook_secret,
    _secret_readers,
    _oidc,
    _web_password,
)
