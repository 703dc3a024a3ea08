"""Each kind of host: the real server starts with the flags and secrets of the task, and answers only events that prove the secret.

The first event of a kind has the members that the host documents for a comment on a pull request. The others are Atlantis' own test
data, read from its sources. None is a command for an allowed repository, so that the server answers without a call to the host.
"""

import base64
import hashlib
import hmac
import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from sandbox.atlantis import build
from sandbox.testbed.loopback_server import Handler, LoopbackServer
from tests.sandbox.started_server import started
from tests.unit.stacks import stack
from tests.unit.test_allowlist import ENTRIES, SERVED

SECRET = "6f1d0c6e"
COMMENT = "looks good to me"


class Event(NamedTuple):
    """The settings of a kind, and a comment as its host sends one."""

    settings: Mapping[str, Any]
    headers: Mapping[str, str]
    body: Mapping[str, Any]
    proof: str
    """How the host proves the secret: the header for a signature or for the secret itself."""


EVENTS: Mapping[str, Event] = {
    kind: Event(**row)
    for kind, row in yaml.safe_load(Path(__file__).with_name("vcs_events.yaml").read_text(encoding="utf-8")).items()
}
USER = Event({"vcsUser": "atlantis-bot"}, *EVENTS["github-app"][1:])
KINDS = {**EVENTS, "github": USER}

FIXTURES: Mapping[str, tuple[str, ...]] = {
    "github": ("controllers/events/testdata/github*.json",),
    "gitlab": ("controllers/events/testdata/gitlab*.json", "events/testdata/gitlab-merge-request-*event*.json"),
    "bitbucket-cloud": ("events/testdata/bitbucket-cloud-*event*.json",),
    "bitbucket-server": (
        "controllers/events/testdata/bb-server-*.json",
        "events/testdata/bitbucket-server-*event*.json",
    ),
}
"""The events among the test data of Atlantis itself, in its folder `server`. It has those of Gitea and Azure DevOps in Go only."""


class _Version(Handler):
    """What GitLab and Gitea answer to the request with which their clients begin."""

    def do_GET(self) -> None:
        version = "18.4.0" if self.path == "/api/v4/version" else "1.24.0"
        self.respond(200, json.dumps({"version": version}).encode())


@pytest.fixture
def host() -> Iterator[str]:
    with LoopbackServer(_Version) as server:
        yield server.url


HOST_FLAGS = {
    "gitlab": ("ATLANTIS_GITLAB_HOSTNAME", "gitlab.com"),
    "gitea": ("ATLANTIS_GITEA_BASE_URL", "https://git.example.com"),
}
"""Hosts that the server asks for their version before it listens."""


def _variables(kind: str, settings: Mapping[str, Any], host: str) -> dict[str, str]:
    """The environment of the task's server, with values instead of references to secrets."""
    changes = {**settings, "vcsKind": kind}
    definitions = stack(**changes).one("aws:ecs/taskDefinition:TaskDefinition").inputs["containerDefinitions"]
    server = json.loads(definitions)[0]
    plain = {item["name"]: item["value"] for item in server["environment"] if item["name"].startswith("ATLANTIS_")}
    values = {"webhook_secret": SECRET, "token": "none", "app_id": "1", "installation_id": "1"}
    secrets = {item["name"]: values.get(item["valueFrom"].split(":")[-3]) for item in server["secrets"]}
    own = {"ATLANTIS_DATA_DIR", "ATLANTIS_PORT", "ATLANTIS_ATLANTIS_URL"}
    found = plain | {name: value for name, value in secrets.items() if value is not None}
    variables = {name: value for name, value in found.items() if name not in own}
    if kind in HOST_FLAGS:
        flag, expected = HOST_FLAGS[kind]
        assert variables[flag] == expected
        variables[flag] = host
    if kind == "github-app":
        # A server with an App's key asks GitHub for a token before it listens; `test_pull_requests.py` has such a server.
        variables = {name: value for name, value in variables.items() if not name.startswith("ATLANTIS_GH_APP_")}
        variables |= {"ATLANTIS_GH_USER": "x", "ATLANTIS_GH_TOKEN": "x"}
    return variables


def _on(host: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """An event of GitLab's with the URLs of ``host``."""
    return json.loads(re.sub(r"https?://(gitlab\.com|gitlab\.lan|example\.com)", host, json.dumps(body)))


def _fixtures(kind: str, event: Event, host: str) -> Iterator[tuple[str, Event]]:
    """The events of a kind in Atlantis' test data, with the header that names each."""
    sources = build.sources() / "server"
    for pattern in FIXTURES.get(kind, ()):
        files = sorted(sources.glob(pattern))
        assert files, f"Atlantis' test data has no {pattern}"
        for file in files:
            body = json.loads(file.read_text(encoding="utf-8"))
            names = {
                "github": {"X-GitHub-Event": "pull_request" if "pull_request" in body else "issue_comment"},
                "gitlab": {
                    "X-Gitlab-Event": f"{'Note' if body.get('object_kind') == 'note' else 'Merge Request'} Hook"
                },
                "bitbucket-cloud": {
                    "X-Event-Key": f"pullrequest:{_EVENT_KEYS.get(file.stem, file.stem.rpartition('-')[2])}"
                },
                "bitbucket-server": {"X-Event-Key": body.get("eventKey", "")},
            }
            shown = _on(host, body) if kind == "gitlab" else body
            yield file.name, event._replace(headers={**event.headers, **names[kind]}, body=shown)


_EVENT_KEYS = {"bitbucket-cloud-comment-event": "comment_created"}


def _proof(header: str, body: bytes, secret: str) -> dict[str, str]:
    if header == "Authorization":
        return {header: f"Basic {base64.b64encode(f'atlantis:{secret}'.encode()).decode()}"}
    if header == "X-Gitlab-Token":
        return {header: secret}
    signature = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return {header: signature if header == "X-Gitea-Signature" else f"sha256={signature}"}


def _sent(url: str, event: Event, secret: str | None) -> tuple[int, str]:
    body = json.dumps(event.body).encode()
    proof = _proof(event.proof, body, secret) if secret is not None else {}
    headers = {"Content-Type": "application/json", **event.headers, **proof}
    request = urllib.request.Request(f"{url}/events", body, headers)  # noqa: S310 - on loopback
    try:
        with urllib.request.urlopen(request, timeout=120) as answer:  # noqa: S310 - on loopback
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


@pytest.mark.parametrize("kind", KINDS)
def test_the_server_answers_an_event_that_proves_the_secret_and_no_other(tmp_path: Path, host: str, kind: str) -> None:
    event = KINDS[kind]
    if kind == "gitlab":
        # The server refuses a merge request whose clone URL isn't on its host.
        event = event._replace(body=_on(host, event.body))
    with started(tmp_path, _variables(kind, event.settings, host)) as url:
        status, text = _sent(url, event, SECRET)
        assert (status, "Ignoring non-command comment" in text) == (200, True), text
        for wrong in ("another", None):
            assert _sent(url, event, wrong)[0] in (400, 401)
        for name, fixture in _fixtures(kind, event, host):
            status, text = _sent(url, fixture, SECRET)
            # No repository of them is on the allowlist, so nothing is fetched.
            assert status in (200, 403), (name, text)
            assert re.search("Ignoring|allowlisted", text), (name, text)
            assert [_sent(url, fixture, wrong)[0] for wrong in ("another", None)] == [400, 400], name
        other = KINDS["gitlab" if kind.startswith("github") else "github-app"]
        assert _sent(url, other, SECRET)[0] == 400


def test_the_server_serves_the_repositories_that_the_settings_say(tmp_path: Path, host: str) -> None:
    event = KINDS["github-app"]
    variables = _variables("github-app", {**event.settings, "repoAllowlist": ENTRIES}, host)
    found = {}
    with started(tmp_path, variables) as url:
        for name in SERVED:
            # A request for help is a command, which the server refuses for other repositories.
            body = json.dumps(event.body).replace(COMMENT, "atlantis help").replace("acme/infra", name)
            status, text = _sent(url, event._replace(body=json.loads(body)), SECRET)
            assert status in {200, 403}, text
            found[name] = status == 200
    assert found == SERVED
