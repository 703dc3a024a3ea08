"""`vcsKind`: what changes in the stack with the host of the repositories, and what is refused."""

import ipaddress
import json
from typing import Any

import pytest

from components.configuration.vcs import APP, KINDS, published_ranges
from tests.unit.stacks import stack

GITLAB: dict[str, Any] = {"vcsKind": "gitlab", "vcsUser": "bot", "repoAllowlist": "gitlab.com/acme/*"}
RANGES = {"vcsWebhookCidrBlocks": ["198.51.100.0/24"]}


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != APP])
def test_the_server_gets_the_flags_of_its_host_and_no_other(kind: str) -> None:
    host = KINDS[kind].host or "git.example.com"
    changes = {"vcsKind": kind, "vcsUser": "bot", "repoAllowlist": f"{host}/acme/*"}
    graph = stack(**changes, **({} if KINDS[kind].host else {"vcsHost": host, **RANGES}))
    server, protection = json.loads(graph.one("aws:ecs/taskDefinition:TaskDefinition").inputs["containerDefinitions"])
    names = {item["name"] for item in [*server["environment"], *server["secrets"]]}
    flags = {flag.upper().replace("-", "_") for flag in KINDS[kind].flags}
    others = {flag.upper().replace("-", "_") for other in KINDS.values() for flag in other.flags} - flags
    assert {f"ATLANTIS_{flag}" for flag in flags} <= names
    assert names.isdisjoint(f"ATLANTIS_{flag}" for flag in others)
    secret = {item["name"]: item["valueFrom"] for item in server["secrets"]}
    (token,) = [f"ATLANTIS_{flag.upper().replace('-', '_')}" for flag in KINDS[kind].secret_flags]
    assert secret[token].endswith(":token::")
    assert "secrets" not in protection
    named = {item.inputs["name"] for item in graph.all("aws:secretsmanager/secret:Secret")}
    assert named >= {"prod-atlantis-vcs-token", "prod-atlantis-webhook-secret"}
    assert "prod-atlantis-github-app" not in named


@pytest.mark.parametrize("kind", ["gitlab", "bitbucket-cloud", "azure-devops"])
def test_only_the_published_ranges_of_the_host_send_events(kind: str) -> None:
    host = KINDS[kind].host or ""
    graph = stack(vcsKind=kind, vcsUser="bot", repoAllowlist=f"{host}/acme/*")
    rules = [rule for rule in graph.all("aws:lb/listenerRule:ListenerRule") if "webhook" in rule.name]
    sources = [
        block
        for rule in sorted(rules, key=lambda rule: rule.inputs["priority"])
        for condition in rule.inputs["conditions"]
        for block in condition.get("sourceIp", {}).get("values", ())
    ]
    assert sources == list(published_ranges(host)) != []
    assert all(ipaddress.ip_network(block).is_global for block in sources)


def test_an_existing_secret_of_the_token_is_used() -> None:
    graph = stack(**GITLAB, vcsTokenSecretName="ci/gitlab")
    server = json.loads(graph.one("aws:ecs/taskDefinition:TaskDefinition").inputs["containerDefinitions"])[0]
    secret = {item["name"]: item["valueFrom"] for item in server["secrets"]}["ATLANTIS_GITLAB_TOKEN"]
    assert ":secret:ci/gitlab-" in secret
    assert "prod-atlantis-vcs-token" not in {
        item.inputs["name"] for item in graph.all("aws:secretsmanager/secret:Secret")
    }
