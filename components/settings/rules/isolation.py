"""Rules for Terraform in workers: what applies only with them, their sizes, and what the server's flags must not undo."""

from collections.abc import Iterator

from ...configuration import server_configuration, yaml_file
from ..accepted import REPOSITORY
from ..arguments import Settings
from ..problem import Problem, Rule
from ..schema import changed, key_of
from .task import unsupported_size

_FLAGS = {
    "tf-download": "a downloaded Terraform would run in the server's task; put the versions into the image",
    "use-tf-plugin-cache": "a cache would be shared by the commands of all pull requests",
    "enable-external-stores": "the server has no AWS credentials; plan files stay in the data directory",
    "local-share-plan-dir": "a plan file must be in its checkout",
}
_ONLY_WITH_TASKS = {
    "repository_roles": "plans and applies share the task role",
    "plan_assumable_role_arns": "plans assume the roles of assumableRoleArns too",
    "module_repositories": "Terraform uses the server's own token",
    "additional_plan_policy_arns": "plans and applies share the task role, so use additionalPolicyArns",
}
"""Fields of the group terraform, and what happens without workers."""


def _server_flags(settings: Settings) -> Iterator[Problem]:
    path = settings.configuration.server_config_file
    flags = yaml_file.readable(server_configuration.load, path) if settings.terraform.isolates else {}
    for flag, reason in _FLAGS.items():
        if flags.get(flag):
            yield Problem(
                {"serverConfigFile": path, "terraformIsolation": "tasks"}, f"{flag}: {reason}; remove the flag"
            )


def _without_workers(settings: Settings) -> Iterator[Problem]:
    if settings.terraform.isolates:
        return
    for field, otherwise in _ONLY_WITH_TASKS.items():
        if getattr(settings.terraform, field):
            yield Problem({key_of(field): None}, f"applies only with terraformIsolation tasks; otherwise {otherwise}")
    for key in changed(settings.workers, *type(settings.workers).__annotations__):
        yield Problem({key: None}, "applies only with terraformIsolation tasks; without it, there are no workers")
    prefixes = settings.terraform.terraform_state_prefixes
    if any(REPOSITORY in prefix for prefix in prefixes):
        yield Problem(
            {"terraformStatePrefixes": list(prefixes)},
            f"{REPOSITORY} applies only with terraformIsolation tasks; otherwise all repositories share the task role",
        )


def _workers(settings: Settings) -> Iterator[Problem]:
    for group in settings.worker_groups:
        if problem := unsupported_size(group.cpu, group.memory):
            yield Problem(
                {f"{group.role}WorkerCpu": group.cpu, f"{group.role}WorkerMemory": group.memory},
                problem,
            )
        if group.subnet_ids and not settings.network.vpc_id:
            yield Problem(
                {f"{group.role}WorkerSubnetIds": None},
                "requires vpcId: the subnets of a new VPC aren't known before it exists; remove it, or set vpcId",
            )


def _local_proxy(settings: Settings) -> Iterator[Problem]:
    for key, url in settings.outbound.proxies.items() if settings.terraform.isolates else ():
        if url.startswith(("http://localhost:", "http://127.")):
            yield Problem(
                {key: None, "terraformIsolation": "tasks"},
                "a proxy on localhost is a container of the server's task, which workers can't reach; name a proxy of the network",
            )


RULES: tuple[Rule, ...] = (_server_flags, _without_workers, _workers, _local_proxy)
