"""The stand-in of GitHub: who may call, what it answers, and what it refuses to know."""

import base64
import json
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from sandbox.pull_requests import sample_repository
from sandbox.testbed.certificates import issue
from sandbox.testbed.errors import SandboxError
from sandbox.testbed.github import app, events, other_host
from sandbox.testbed.github.server import GitHub
from sandbox.testbed.github.store import PullRequest
from sandbox.testbed.loopback_server import Handler, LoopbackServer

_REPOSITORY = "owner/infrastructure"


@pytest.fixture(scope="module")
def values() -> dict[str, str]:
    return app.make_values()


@pytest.fixture
def happened() -> list[dict[str, Any]]:
    """The events of the stand-in."""
    return []


@pytest.fixture
def github(tmp_path: Path, values: dict[str, str], happened: list[dict[str, Any]]) -> Iterator[GitHub]:
    with GitHub(tmp_path, lambda _event, body: happened.append(json.loads(body))) as server:
        app.register(server.store.registration, values)
        server.store.create_repository(_REPOSITORY, {"main.tf": "locals {}\n", "atlantis.yaml": "version: 3\n"})
        yield server


@pytest.fixture
def pull(github: GitHub) -> PullRequest:
    changed = {"main.tf": "locals { a = 1 }\n", "new.tf": "locals {}\n"}
    return github.store.open_pull_request(_REPOSITORY, "change", changed, "A change")


def _call(github: GitHub, method: str, path: str, authorization: str = "", body: Any = None) -> tuple[int, Any]:
    """Call ``https://api.github.com`` the way the task does: through the proxy, trusting the sandbox's authority."""
    context = ssl.create_default_context(cafile=str(github.certificates.bundle))
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({"https": github.proxy_url}), urllib.request.HTTPSHandler(context=context)
    )
    request = urllib.request.Request(
        f"https://api.github.com{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": authorization},
    )
    try:
        with opener.open(request, timeout=120) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def _assertion(values: dict[str, str], **changes: Any) -> str:
    """A JSON Web Token as the App makes it; ``changes`` spoil its claims or, as ``key`` and ``alg``, the rest."""
    key = changes.pop("key", None) or serialization.load_pem_private_key(values["private_key"].encode(), None)
    assert isinstance(key, rsa.RSAPrivateKey)
    header = {"alg": changes.pop("alg", "RS256"), "typ": "JWT"}
    now = int(time.time())
    claims = {"iat": now - 30, "exp": now + 500, "iss": values["app_id"], **changes}
    parts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in (header, claims)]
    signature = key.sign(".".join(parts).encode(), padding.PKCS1v15(), hashes.SHA256())
    return "Bearer " + ".".join([*parts, base64.urlsafe_b64encode(signature).rstrip(b"=").decode()])


def _token(github: GitHub, values: dict[str, str]) -> str:
    path = f"/app/installations/{values['installation_id']}/access_tokens"
    status, answer = _call(github, "POST", path, _assertion(values), {})
    assert status == 201
    return answer["token"]


@pytest.mark.parametrize(
    "spoiled",
    [
        {"iss": "1"},
        {"exp": int(time.time()) - 3600},
        {"exp": int(time.time()) + 3600},
        {"iat": int(time.time()) + 3600},
        {"exp": "soon"},
        {"alg": "none"},
        {"key": rsa.generate_private_key(public_exponent=65537, key_size=2048)},
    ],
    ids=["other app", "expired", "valid for too long", "from the future", "no number", "no algorithm", "other key"],
)
def test_only_the_registered_app_gets_a_token(github: GitHub, values: dict[str, str], spoiled: dict[str, Any]) -> None:
    path = f"/app/installations/{values['installation_id']}/access_tokens"
    assert _call(github, "POST", path, _assertion(values, **spoiled), {})[0] == 401
    assert _call(github, "POST", path, "Bearer nonsense", {})[0] == 401
    assert _call(github, "POST", path, "", {})[0] == 401
    assert _call(github, "POST", "/app/installations/1/access_tokens", _assertion(values), {})[0] == 404
    assert len(github.store.unexpected()) == 4


def test_a_call_without_a_token_is_refused(github: GitHub, values: dict[str, str], pull: PullRequest) -> None:
    path = f"/repos/{_REPOSITORY}/pulls/{pull.number}"
    assert _call(github, "GET", path)[0] == 401
    assert _call(github, "GET", path, "token ghs_guessed")[0] == 401
    assert _call(github, "GET", path, _assertion(values))[0] == 401
    assert _call(github, "GET", path, f"token {_token(github, values)}")[0] == 200


def test_a_pull_request_is_shown_with_its_files_reviews_and_contents(
    github: GitHub, values: dict[str, str], pull: PullRequest
) -> None:
    token = f"token {_token(github, values)}"
    path = f"/repos/{_REPOSITORY}/pulls/{pull.number}"
    shown = _call(github, "GET", path, token)[1]
    assert (shown["state"], shown["mergeable_state"], shown["head"]["ref"]) == ("open", "clean", "change")
    assert shown["head"]["sha"] == github.store.head(_REPOSITORY, "change")
    assert _call(github, "GET", f"{path}/files", token)[1] == [
        {"filename": "main.tf", "status": "modified"},
        {"filename": "new.tf", "status": "added"},
    ]
    assert _call(github, "GET", f"{path}/reviews", token)[1] == []
    github.store.approve(pull, "reviewer")
    assert _call(github, "GET", f"{path}/reviews", token)[1][0]["user"]["login"] == "reviewer"
    contents = f"/repos/{_REPOSITORY}/contents"
    assert (
        base64.b64decode(_call(github, "GET", f"{contents}/new.tf?ref=change", token)[1]["content"]) == b"locals {}\n"
    )
    assert _call(github, "GET", f"{contents}/new.tf?ref=main", token)[0] == 404
    assert github.store.unexpected() == []


def test_the_app_has_the_slug_of_the_configuration(github: GitHub, values: dict[str, str]) -> None:
    assert _call(github, "GET", "/apps/my-atlantis")[0] == 401
    status, app_object = _call(github, "GET", "/apps/my-atlantis", f"token {_token(github, values)}")
    assert (status, app_object["slug"]) == (200, "my-atlantis")


def test_a_pull_request_in_conflict_is_not_mergeable(github: GitHub, pull: PullRequest) -> None:
    github.store.commit(_REPOSITORY, "main", {"main.tf": "locals { a = 2 }\n"}, "Meanwhile")
    assert events.pull_request_object(github.store, pull)["mergeable_state"] == "dirty"


def test_what_it_is_told_is_recorded(github: GitHub, values: dict[str, str]) -> None:
    token = f"token {_token(github, values)}"
    repository = f"/repos/{_REPOSITORY}"
    sha = github.store.head(_REPOSITORY, "main")
    status = {"state": "success", "context": "atlantis/plan", "description": "done"}
    assert _call(github, "POST", f"{repository}/issues/1/comments", token, {"body": "Ran Plan"})[0] == 201
    assert _call(github, "POST", f"{repository}/statuses/{sha}", token, status)[0] == 201
    assert _call(github, "POST", f"{repository}/issues/comments/1/reactions", token, {"content": "eyes"})[0] == 201
    assert [item["body"] for item in github.store.recorded("comments")] == ["Ran Plan"]
    assert github.store.recorded("statuses")[0]["context"] == "atlantis/plan"
    assert github.store.recorded("reactions")[0]["content"] == "eyes"


@pytest.mark.parametrize(
    ("call", "body", "status"),
    [
        ("POST /repos/owner/infrastructure/issues/1/comments", {"body": ""}, 422),
        ("POST /repos/owner/infrastructure/issues/1/comments", {"text": "x"}, 422),
        ("POST /repos/owner/infrastructure/issues/1/comments", {"body": "x" * 65_537}, 422),
        (f"POST /repos/owner/infrastructure/statuses/{'a' * 40}", {"state": "fine"}, 422),
        ("POST /repos/owner/infrastructure/statuses/main", {"state": "success"}, 404),
        ("GET /repos/owner/infrastructure/pulls/99", None, 404),
        ("GET /repos/owner/unknown", None, 404),
        ("GET /repos/owner/infrastructure/branches", None, 404),
        ("PATCH /repos/owner/infrastructure", {}, 404),
        ("GET /user", None, 404),
    ],
)
def test_an_unknown_or_wrong_call_is_refused(
    github: GitHub, values: dict[str, str], call: str, body: Any, status: int
) -> None:
    method, path = call.split(" ")
    token = f"token {_token(github, values)}"
    assert _call(github, method, path, token, body)[0] == status
    assert [line.rpartition(" ")[2] for line in github.store.unexpected()] == [str(status)]


def test_git_clones_with_a_token_and_can_not_push(github: GitHub, values: dict[str, str], tmp_path: Path) -> None:
    def git(*arguments: str) -> int:
        environment = {"HTTPS_PROXY": github.proxy_url, "GIT_SSL_CAINFO": str(github.certificates.bundle)}
        return _git(tmp_path, *arguments, **environment)

    url = f"https://github.com/{_REPOSITORY}.git"
    work = str(tmp_path / "work")
    assert git("clone", url, work) != 0
    credentials = tmp_path / ".git-credentials"
    credentials.write_text(f"https://x-access-token:{_token(github, values)}@github.com\n")
    assert git("-c", "credential.helper=store", "clone", url, work) == 0
    assert (tmp_path / "work" / "main.tf").read_text() == "locals {}\n"
    assert git("-C", work, "-c", "credential.helper=store", "push", "origin", "main:other") != 0
    assert git("-C", work, "ls-remote", "https://gitlab.com/x/y.git") != 0
    assert [item["destination"] for item in github.store.recorded("refused")] == ["gitlab.com:443"]


def test_the_proxy_connects_a_real_host_whose_authority_is_trusted(tmp_path: Path) -> None:
    class Version(Handler):
        def do_GET(self) -> None:
            self.respond(200, b"{}")

    certificates = issue(tmp_path / "host", ("git.example.com",), authority_name="Another authority")
    with LoopbackServer(Version, certificates) as host:
        other_host.write(tmp_path, "git.example.com", host.server_port, certificates.bundle, "none")
        with GitHub(tmp_path) as sandbox:
            context = ssl.create_default_context(cafile=str(sandbox.certificates.bundle))
            opener = urllib.request.build_opener(
                urllib.request.ProxyHandler({"https": sandbox.proxy_url}), urllib.request.HTTPSHandler(context=context)
            )
            assert opener.open("https://git.example.com/", timeout=120).status == 200
            with pytest.raises(urllib.error.URLError, match="403"):
                opener.open("https://other.example.com/", timeout=120)
    assert sandbox.store.recorded("refused")[0]["destination"] == "other.example.com:443"


def _git(home: Path, *arguments: str, **environment: str) -> int:
    own = {"PATH": "/usr/bin:/bin:/usr/local/bin", "HOME": str(home), "GIT_TERMINAL_PROMPT": "0"}
    done = subprocess.run(["git", *arguments], env=own | environment, capture_output=True, check=False)
    return done.returncode


def test_the_author_pushes_and_the_pull_request_is_announced(
    github: GitHub, pull: PullRequest, happened: list[dict[str, Any]], tmp_path: Path
) -> None:
    assert github.store.author_configuration.with_name("author.credentials").stat().st_mode & 0o077 == 0
    as_author = ("-c", f"include.path={github.store.author_configuration}")
    url, work = f"https://github.com/{_REPOSITORY}.git", tmp_path / "work"
    assert _git(tmp_path, *as_author, "clone", "--branch", "change", url, str(work)) == 0
    (work / "main.tf").write_text("locals { a = 2 }\n")
    identity = ("-c", "user.name=Author", "-c", "user.email=author@example.invalid")
    assert _git(tmp_path, "-C", str(work), *identity, "commit", "--all", "--message", "Again") == 0
    assert _git(tmp_path, "-C", str(work), *as_author, "push", url, "HEAD:other") == 0
    assert happened == [], "no pull request has this branch"
    assert _git(tmp_path, "-C", str(work), *as_author, "push", url, "HEAD:change") == 0
    (event,) = happened
    assert (event["action"], event["number"]) == ("synchronize", pull.number)
    assert event["pull_request"]["head"]["sha"] == github.store.head(_REPOSITORY, "change")
    assert _git(tmp_path, "-C", str(work), *as_author, "push", url, f"HEAD:refs/pull/{pull.number}/head") != 0


def test_a_pull_request_is_merged_by_the_api(
    github: GitHub, values: dict[str, str], pull: PullRequest, happened: list[dict[str, Any]]
) -> None:
    token, path = f"token {_token(github, values)}", f"/repos/{_REPOSITORY}/pulls/{pull.number}/merge"
    assert _call(github, "PUT", path, "token ghp_guessed", {})[0] == 401
    assert _call(github, "PUT", path, token, {"sha": "0" * 40})[0] == 409
    status, answer = _call(github, "PUT", path, token, {"sha": github.store.head(_REPOSITORY, "change")})
    assert (status, answer["merged"], answer["sha"]) == (200, True, github.store.head(_REPOSITORY, "main"))
    assert [(event["action"], event["pull_request"]["merged"]) for event in happened] == [("closed", True)]
    assert _call(github, "PUT", path, token, {})[0] == 405, "it is merged already"


def test_a_conflict_is_not_merged_by_the_api(github: GitHub, values: dict[str, str], pull: PullRequest) -> None:
    github.store.commit(_REPOSITORY, "main", {"main.tf": "locals { a = 2 }\n"}, "Meanwhile")
    path = f"/repos/{_REPOSITORY}/pulls/{pull.number}/merge"
    assert _call(github, "PUT", path, f"token {_token(github, values)}", {})[0] == 405


def test_its_key_and_its_records_are_for_the_owner_only(github: GitHub) -> None:
    assert github.certificates.key.stat().st_mode & 0o077 == 0
    assert "PRIVATE" not in github.store.registration.read_text()


@pytest.mark.parametrize(
    ("allowlist", "repository"),
    [
        ("github.com/example-organisation/*", "example-organisation/sandbox-sample"),
        ("!github.com/a/b, github.com/a/terraform-*", "a/terraform-sandbox-sample"),
        ("github.com/*", "sandbox/sandbox-sample"),
        ("github.example.com/team/infrastructure", "team/infrastructure"),
    ],
)
def test_the_sample_repository_is_one_that_the_allowlist_admits(allowlist: str, repository: str) -> None:
    assert sample_repository(allowlist) == repository


def test_an_allowlist_that_admits_nothing_has_no_sample() -> None:
    with pytest.raises(SandboxError, match="admits no repository"):
        sample_repository("!github.com/a/b")
