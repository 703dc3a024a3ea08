"""Servers for other hosts of repositories than GitHub with an App: their settings are proposed, and nothing of them is lost."""

import json
from typing import Any

import pytest

from adoption.plan import Plan
from adoption.task_inventory import KEPT, LOST, REPLACED
from tests.adoption.plans import plan, proposed
from tests.adoption.states import State, arn, container, find, small_state
from tests.tables import table

TOKEN = arn("secretsmanager", "secret:ci/host-AbCdEf")
HOOK = arn("secretsmanager", "secret:ci/hook-GhIjKl")


def _server(
    kind: str,
    allowlist: str,
    hook: str = "WEBHOOK_SECRET",
    *,
    keys: tuple[str, str] = ("token", "webhook_secret"),
    **variables: str,
) -> State:
    """The small stack, whose server has a user, a token and a webhook secret for a host, and no GitHub App."""
    (server,) = json.loads(container())
    environment = [item for item in server["environment"] if item["name"] != "ATLANTIS_REPO_ALLOWLIST"]
    values = {f"ATLANTIS_{kind}_USER": "bot", "ATLANTIS_REPO_ALLOWLIST": allowlist, **variables}
    secrets = {f"ATLANTIS_{kind}_TOKEN": f"{TOKEN}:{keys[0]}::", f"ATLANTIS_{kind}_{hook}": f"{HOOK}:{keys[1]}::"}
    state = small_state()
    find(state, "aws_ecs_task_definition.this")["container_definitions"] = container(
        environment=[*environment, *({"name": name, "value": value} for name, value in values.items())],
        secrets=[{"name": name, "valueFrom": value} for name, value in secrets.items()],
    )
    return state


def _vcs(found: Plan) -> dict[str, Any]:
    keys = ("vcsKind", "vcsHost", "vcsUser", "vcsTokenSecretName", "webhookSecretName", "githubHostname")
    return {key: value for key, value in proposed(found).items() if key in keys}


def _results(found: Plan, *parts: str) -> set[str]:
    return {item.result for item in found.task if any(part in item.name for part in parts)}


RANGES = ["198.51.100.0/25"]
SECRETS = {"vcsUser": "bot", "vcsTokenSecretName": "ci/host", "webhookSecretName": "ci/hook"}
GITLAB = _server("GITLAB", "gitlab.com/group/sub/*")


@pytest.mark.parametrize("row", table(__file__, "hosts"), ids=lambda row: row["proposes"]["vcsKind"])
def test_the_settings_of_a_server_for_another_host_are_proposed(row: dict[str, Any]) -> None:
    state = _server(row["kind"], row["allowlist"], row.get("hook", "WEBHOOK_SECRET"), **row.get("variables", {}))
    found = plan(state, **row.get("given", {}))
    assert _vcs(found) == SECRETS | row["proposes"]
    assert not found.problems
    assert _results(found, "_USER", "_TOKEN", "_WEBHOOK", "HOSTNAME", "BASE_URL") == {KEPT}


def test_the_app_s_secret_in_the_stack_file_is_taken_out() -> None:
    found = plan(GITLAB, githubAppSecretName="prod/app", githubHostname="github.com")
    assert "githubAppSecretName" not in found.settings
    assert not found.problems


def test_a_host_whose_ranges_are_missing_is_lost_until_they_are_set_and_no_other_host_takes_its_place() -> None:
    found = plan(_server("GITLAB", "github.com/example/*", ATLANTIS_GITLAB_HOSTNAME="git.example.com"))
    assert _vcs(found) == {"webhookSecretName": "ci/hook"} or not _vcs(found)
    assert any("vcsHost" in note and "also requires vcsWebhookCidrBlocks" in note for note in found.notes)
    (problem,) = found.problems
    why = "set vcsWebhookCidrBlocks to the ranges of its webhooks: then the settings for the host are proposed"
    assert problem.count(why) == problem.count("ATLANTIS_GITLAB_") / 2 == 4, "in a row each, and accepted by name"


def test_a_server_with_several_hosts_keeps_that_of_the_stack_file_or_the_app_and_loses_the_others() -> None:
    state = small_state()
    (server,) = json.loads(container())
    user = {"name": "ATLANTIS_GITLAB_USER", "value": "bot"}
    token = {"name": "ATLANTIS_GITLAB_TOKEN", "valueFrom": f"{TOKEN}:token::"}
    find(state, "aws_ecs_task_definition.this")["container_definitions"] = container(
        environment=[*server["environment"], user], secrets=[*server["secrets"], token]
    )
    found = plan(state)
    assert "vcsKind" not in proposed(found)
    assert _results(found, "GITLAB") == {LOST}
    assert "githubAppSecretName" in proposed(found)


def test_secrets_under_other_keys_or_in_plaintext_are_to_be_filled_first() -> None:
    other_keys = plan(_server("GITLAB", "gitlab.com/group/*", keys=("gitlab_token", "hook")))
    assert "vcsTokenSecretName" not in proposed(other_keys)
    assert any("vcsTokenSecretName: the secret ci/host has other JSON keys than token" in n for n in other_keys.notes)
    assert _results(other_keys, "TOKEN", "WEBHOOK") == {REPLACED}

    plain = _server("GITLAB", "gitlab.com/group/*", ATLANTIS_GITLAB_TOKEN="glpat")
    definition = find(plain, "aws_ecs_task_definition.this")
    (server,) = json.loads(definition["container_definitions"])
    definition["container_definitions"] = json.dumps([server | {"secrets": []}])
    found = plan(plain)
    assert (proposed(found)["vcsKind"], _results(found, "TOKEN")) == ("gitlab", {REPLACED})
    assert any("vcsTokenSecretName: ATLANTIS_GITLAB_TOKEN don't come from one secret" in note for note in found.notes)


def test_other_flags_of_the_host_are_lost_and_not_called_useless() -> None:
    found = plan(_server("GITLAB", "gitlab.com/group/*", ATLANTIS_GITLAB_GROUP_ALLOWLIST="group:plan"))
    (problem,) = found.problems
    assert "ATLANTIS_GITLAB_GROUP_ALLOWLIST: add `gitlab-group-allowlist: group:plan`" in problem


def test_another_user_of_the_events_is_lost_because_the_sender_must_be_changed() -> None:
    other: dict[str, Any] = {"ATLANTIS_AZUREDEVOPS_WEBHOOK_USER": "hook"}
    (problem,) = plan(_server("AZUREDEVOPS", "dev.azure.com/org/project/*", "WEBHOOK_PASSWORD", **other)).problems
    assert "ATLANTIS_AZUREDEVOPS_WEBHOOK_USER: it is atlantis: change it where the events are sent" in problem


def test_the_ranges_of_webhooks_are_not_those_of_people() -> None:
    state = _server("GITLAB", "gitlab.com/group/*")
    block = {"protocol": "tcp", "from_port": 443, "to_port": 443, "cidr_blocks": ["34.74.90.64/28", "192.30.252.0/22"]}
    find(state, "aws_security_group.alb")["ingress"] = [block]
    assert proposed(plan(state))["allowedCidrBlocks"] == ["203.0.113.0/24"]
