"""The secrets of the running task: the GitHub App's, the server's and those of workflows."""

import re
from collections.abc import Iterator

from adoption.anatomy import Anatomy
from adoption.proposal import Proposal
from components.configuration import server_configuration

__all__ = ["OTHER_HOSTS", "secret_of", "secrets"]

OTHER_HOSTS = ("azuredevops-", "bitbucket-", "gitea-", "gitlab-")
"""Prefixes of flags for other hosts of repositories than GitHub."""
SECRETS = {
    "githubAppSecretName": {
        "ATLANTIS_GH_APP_ID": "app_id",
        "ATLANTIS_GH_APP_INSTALLATION_ID": "installation_id",
        "ATLANTIS_GH_APP_KEY": "private_key",
    },
    "webhookSecretName": {"ATLANTIS_GH_WEBHOOK_SECRET": "webhook_secret"},
}
"""Maps each setting to the task's variables from the secret, each with the JSON key that the program reads."""


def secrets(anatomy: Anatomy, notes: list[str]) -> Iterator[Proposal]:
    """The settings for the secrets that the task reads. What doesn't come from a secret is added to `notes`."""
    yield from _other_secrets(anatomy)
    for key, variables in SECRETS.items():
        found = {variable: secret_of(anatomy, anatomy.secrets.get(variable, "")) for variable in variables}
        names = {secret[0] if secret else None for secret in found.values()}
        wrong = [variable for variable, secret in found.items() if secret and secret[1] != variables[variable]]
        if len(names) != 1 or None in names:
            notes.append(
                f"{key}: {' and '.join(variables)} don't come from one secret of Secrets Manager, so the program creates one. "
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
    name = known.attributes.get("name") if known else re.sub(r"-[A-Za-z0-9]{6}$", "", parts[6])
    return (str(name), parts[7] if len(parts) > 7 else "")


def _other_secrets(anatomy: Anatomy) -> Iterator[Proposal]:
    """Secrets of the server and of workflows, beyond the GitHub App's."""
    server: list[str] = []
    workflows: list[str] = []
    for variable, reference in anatomy.secrets.items():
        found = secret_of(anatomy, reference)
        if found is None or not found[1] or any(variable in variables for variables in SECRETS.values()):
            continue
        flag = variable.removeprefix("ATLANTIS_").lower().replace("_", "-")
        if not variable.startswith("ATLANTIS_"):
            workflows.append(f"{variable}={found[0]}:{found[1]}")
        elif (
            server_configuration.not_a_secret_flag(flag) is None
            and not flag.startswith(OTHER_HOSTS)
            # The API is off unless allowApi is set, which is for the reader to decide.
            and flag != server_configuration.API_SECRET
        ):
            server.append(f"{flag}={found[0]}:{found[1]}")
    if server:
        yield Proposal("serverSecrets", server, "secret flags of the running server")
    if workflows:
        yield Proposal("secretEnvironment", workflows, "secrets of the running task, which every plan can read")
