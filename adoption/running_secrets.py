"""The secrets of the running task: the credentials, the server's and those of workflows."""

import contextlib
import re
from collections.abc import Collection, Iterator

from adoption.anatomy import Anatomy
from adoption.proposal import Proposal
from adoption.running_vcs import other_hosts, secrets_of
from components.configuration import server_configuration
from components.configuration.secret_names import looks_secret
from components.settings.accepted import environment_variables
from components.settings.values import UnacceptableError


def secrets(anatomy: Anatomy, kind: str, notes: list[str]) -> Iterator[Proposal]:
    """The settings for the secrets that the task reads, with `kind` as `vcsKind`. What doesn't come from a secret is added to
    `notes`."""
    known = secrets_of(kind)
    of_kind = {variable for variables in known.values() for variable in variables}
    yield from _other_secrets(anatomy, of_kind, other_hosts(kind))
    yield from _plain_variables(anatomy)
    for key, variables in known.items():
        found = {variable: secret_of(anatomy, anatomy.secrets.get(variable, "")) for variable in variables}
        names = {secret[0] if secret else None for secret in found.values()}
        wrong = [variable for variable, secret in found.items() if secret and secret[1] != variables[variable]]
        if len(names) != 1 or None in names:
            notes.append(
                f"{key}: {' and '.join(variables)} don't come from one secret of this account and region, so the program creates one. "
                "See docs/adoption.md, step 6, for an adoption that needs an image or a secret first"
            )
        elif wrong:
            notes.append(
                f"{key}: the secret {names.pop()} has other JSON keys than {', '.join(variables.values())}: add those"
            )
        else:
            yield Proposal(key, names.pop(), "the secret that the task reads now")


def secret_of(anatomy: Anatomy, reference: str) -> tuple[str, str] | None:
    """Name and JSON key (empty: the whole value) of the secret that a reference of ECS resolves to; None for anything else."""
    parts = reference.split(":")
    if len(parts) < 7 or parts[2] != "secretsmanager" or parts[3:5] != [anatomy.region, anatomy.account]:
        return None
    known = anatomy.state.find(":".join(parts[:7]), "aws_secretsmanager_secret")
    # Secrets Manager adds a hyphen and six characters to the name.
    name = known.get("name") if known else re.sub(r"-[A-Za-z0-9]{6}$", "", parts[6])
    return (str(name), parts[7] if len(parts) > 7 else "")


def reference_of(anatomy: Anatomy, value_from: str) -> str | None:
    """What ECS resolves, as the settings name it: `secret:key`, or `ssm:/parameter`; None for anything else."""
    if found := secret_of(anatomy, value_from):
        return f"{found[0]}:{found[1]}" if found[1] else None
    parameters = f"arn:{anatomy.partition}:ssm:{anatomy.region}:{anatomy.account}:parameter/"
    if value_from.startswith(parameters):
        return f"ssm:/{value_from.removeprefix(parameters)}"
    return None if value_from.startswith("arn:") else f"ssm:/{value_from.removeprefix('/')}"


def _other_secrets(anatomy: Anatomy, known: Collection[str], others: tuple[str, ...]) -> Iterator[Proposal]:
    """Secrets of the server and of workflows, beyond the `known` variables, which have separate settings.

    `others` are the beginnings of flags for hosts that the program doesn't serve.
    """
    server: list[str] = []
    workflows: list[str] = []
    for variable, value_from in anatomy.secrets.items():
        reference = reference_of(anatomy, value_from)
        if reference is None or variable in known:
            continue
        flag = server_configuration.flag_of(variable)
        if not variable.startswith("ATLANTIS_"):
            workflows.append(f"{variable}={reference}")
        elif (
            server_configuration.not_a_secret_flag(flag) is None
            and not flag.startswith(others)
            # The API is off unless allowApi is set, which is for the reader to decide.
            and flag != server_configuration.API_SECRET
        ):
            server.append(f"{flag}={reference}")
    if server:
        yield Proposal("serverSecrets", server, "secret flags of the running server")
    if workflows:
        yield Proposal("secretEnvironment", workflows, "secrets of the running task, which every plan can read")


def _plain_variables(anatomy: Anatomy) -> Iterator[Proposal]:
    """The variables of workflows, except those that look like secrets or that the settings refuse."""
    found: dict[str, str] = {}
    for name, value in anatomy.environment.items():
        with contextlib.suppress(UnacceptableError):
            if not name.startswith("ATLANTIS_") and not looks_secret(name, value):
                found |= environment_variables({name: value})
    if found:
        yield Proposal("environmentVariables", found, "variables of the running task, which workflows can read")
