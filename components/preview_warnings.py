"""What each preview warns about: settings that are accepted, and weaker or without an effect, and what the stack can't guarantee."""

from collections.abc import Iterator

import pulumi

from .configuration import repo_configuration, server_configuration, server_steps
from .configuration.secret_names import redacted
from .settings import Settings, allowlist


def warn(settings: Settings, resource: pulumi.Resource) -> None:
    """Log each warning for `resource`, and in a preview what the allowlist serves."""
    if pulumi.runtime.is_dry_run():
        served = "; ".join(allowlist.described(settings.server.repo_allowlist))
        pulumi.log.info(f"repoAllowlist: {served}", resource)
    for warning in warnings(settings):
        pulumi.log.warn(redacted(warning), resource)


def warnings(settings: Settings) -> Iterator[str]:
    """One line for each."""
    path = settings.configuration.repo_config_file
    yield from repo_configuration.weaker_rules(path)
    yield from repo_configuration.unreachable_hosts(path)
    yield from server_configuration.warnings(settings.configuration.server_config_file)
    yield from settings.configuration.accepted_risks
    if not settings.vcs.is_app:
        yield (
            f"vcsKind {settings.vcs.vcs_kind}: every plan can read the token of {settings.vcs.vcs_user}, because git stores it in each "
            "checkout; grant this user only the repositories of repoAllowlist (docs/vcs.md)"
        )
    for container in settings.task.extra_containers:
        if container.user.startswith("0:"):
            yield f"extraContainers: {container.name} runs as root; set user if its image works as another one"
    if settings.terraform.isolates:
        if settings.configuration.allow_state_commands:
            yield (
                "allowStateCommands: has no effect with terraformIsolation, which runs no `terraform state rm`, because no approval covers "
                "it; remove the setting"
            )
        yield from server_steps.warnings(path)
    yield from _ingress(settings)


def _ingress(settings: Settings) -> Iterator[str]:
    existing, ingress = settings.existing, settings.ingress
    if not ingress.has_load_balancer:
        yield (
            "loadBalancerScheme none: the allowed ranges reach every path of the server over HTTP, the API and webhooks too; TLS, the "
            "paths of each sender and the sign-in are up to what forwards the requests"
        )
        yield (
            "loadBalancerScheme none: ECS doesn't check the server's health, so a deployment has succeeded when the task runs, and a "
            "server that hangs isn't replaced"
        )
        if existing.service_registry_arn is None:
            yield "loadBalancerScheme none without serviceRegistryArn: each task has another address, and no name leads to it"
    if existing.https_listener_arn is not None:
        yield (
            "httpsListenerArn: rules of others with a lower priority number, and who can change the listener, also decide who reaches "
            "the server; `make preflight` reads them"
        )
        if not existing.extend_security_group:
            yield (
                "loadBalancerSecurityGroupId: the stack doesn't change this security group, which must allow HTTPS from the allowed "
                "ranges and from webhooks, and the task's port; `make preflight` checks it"
            )
