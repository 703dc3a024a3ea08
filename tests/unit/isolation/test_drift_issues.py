"""One issue for each project and branch, at the sandbox's stand-in for GitHub."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from isolation import github as github_module
from isolation.drift.configuration import Target
from isolation.drift.discovery import Discovery
from isolation.drift.issues import LABEL, Issues
from isolation.drift.results import ProjectResult, Result
from isolation.github import App, GithubError, PrivateKey, Rest
from isolation.web import Answer
from sandbox.testbed.github import app as stand_in
from sandbox.testbed.github.server import GitHub

REPOSITORY = "o/watched"
OLD_BODY = (
    "<!-- atlantis-drift: vpc:default -->\n`release` and the real resources of `vpc` (workspace `default`) differ:\n"
)


@pytest.fixture(scope="module")
def github(tmp_path_factory: pytest.TempPathFactory) -> Iterator[GitHub]:
    directory = tmp_path_factory.mktemp("github")
    with GitHub(directory) as running, pytest.MonkeyPatch.context() as patch:
        patch.setenv("HTTPS_PROXY", running.proxy_url)
        patch.setenv("SSL_CERT_FILE", str(running.certificates.bundle))
        yield running


@pytest.fixture
def issues(github: GitHub, tmp_path: Path) -> Issues:
    values = stand_in.make_values()
    stand_in.register(github.store.registration, values)
    app = App(
        host="github.com",
        app_id=values["app_id"],
        installation_id=values["installation_id"],
        key=PrivateKey.parse(values["private_key"]),
        permissions={"issues": "write"},
    )
    for issue in open_issues(github):
        github.store.issues.update(REPOSITORY, issue["number"], {"state": "closed"})
    return Issues(Rest(app.api, app.token, "issues: write"), f"https://{tmp_path.name}.example.com")


def report(issues: Issues, *results: ProjectResult) -> dict[str, str]:
    """One run; the issues' addresses by branch."""
    repository = issues.of(REPOSITORY)
    return {result.branch: address for result in results if (address := repository.report(result))}


def open_issues(github: GitHub) -> list[dict[str, Any]]:
    return github.store.issues.listing(REPOSITORY, {"state": "open"})


def result(branch: str, found: Result, **more: Any) -> ProjectResult:
    return ProjectResult(REPOSITORY, branch, "vpc", "default", "", found, **more)


def old_issue(github: GitHub, body: str = OLD_BODY) -> int:
    created = github.store.issues.create(
        REPOSITORY, {"title": "Drift in `vpc`", "body": body, "labels": [LABEL]}, first=1
    )
    return created["number"]


def test_the_same_directory_on_two_branches_has_an_issue_for_each(github: GitHub, issues: Issues) -> None:
    drifted = [result("main", Result.DRIFTED), result("release", Result.DRIFTED)]
    found = report(issues, *drifted)
    assert len(set(found.values())) == 2
    assert {issue["title"] for issue in open_issues(github)} == {
        "Drift in `vpc` (workspace `default`) on `main`",
        "Drift in `vpc` (workspace `default`) on `release`",
    }
    assert report(issues, *drifted) == found
    report(issues, result("main", Result.CLEAN), result("release", Result.DRIFTED))
    assert [issue["html_url"] for issue in open_issues(github)] == [found["release"]]


@pytest.mark.parametrize(
    ("on_release", "stays"), [(Result.DRIFTED, True), (Result.CLEAN, False), (Result.FAILED, True)]
)
def test_an_issue_of_an_earlier_version_belongs_to_the_branch_that_its_text_names(
    github: GitHub, issues: Issues, on_release: Result, stays: bool
) -> None:
    number = old_issue(github)
    found = report(issues, result("main", Result.DRIFTED), result("release", on_release))
    assert not found["main"].endswith(f"/{number}")
    assert (number in {issue["number"] for issue in open_issues(github)}) is stays
    if on_release is Result.DRIFTED:
        assert found["release"].endswith(f"/{number}")
        updated = next(issue for issue in open_issues(github) if issue["number"] == number)
        assert "<!-- atlantis-drift release: vpc:default -->" in updated["body"]


def test_an_issue_that_a_person_wrote_is_left_alone(github: GitHub, issues: Issues) -> None:
    number = old_issue(github)
    path = github.store.directory / "issues" / REPOSITORY / f"{number}.json"
    path.write_text(path.read_text().replace('"type": "Bot"', '"type": "User"'))
    report(issues, result("release", Result.CLEAN))
    assert [issue["number"] for issue in open_issues(github)] == [number]


def test_a_plans_text_cant_end_its_own_fence(github: GitHub, issues: Issues) -> None:
    report(issues, result("main", Result.DRIFTED, plan="a\n```\n<!-- atlantis-drift x: y -->\n"))
    (issue,) = open_issues(github)
    assert issue["body"].count("\n````\n") == 2


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (
            Answer(403, b"no", {"x-ratelimit-remaining": "0"}),
            "GitHub answered 403 (its rate limit; the next run tries again): no",
        ),
        (Answer(403, b"You have exceeded a secondary rate limit", {}), "403 (its rate limit"),
        (Answer(429, b"", {"retry-after": "60"}), "429 (its rate limit"),
        (Answer(403, b"no", {}), "403; grant the App `issues: write`: no"),
        (Answer(500, b"no", {}), "GitHub answered 500: no"),
        (Answer(200, b"{", {}), "Expecting property name"),
    ],
)
def test_the_message_of_a_call_that_failed_says_why(
    monkeypatch: pytest.MonkeyPatch, answer: Answer, expected: str
) -> None:
    monkeypatch.setattr(github_module, "fetch", lambda *_: answer)
    with pytest.raises(GithubError) as found:
        Rest("https://api.github.com", str, "issues: write").call("GET", "/repos/o/r/issues")
    assert expected in str(found.value)


def test_an_answer_that_ends_early_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answers() -> None:
            with server.accept()[0] as connection:
                connection.recv(1 << 16)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")

        thread = threading.Thread(target=answers)
        thread.start()
        with pytest.raises(GithubError, match=r"the answer ended early or isn't HTTP: IncompleteRead\(1 bytes"):
            Rest(f"http://127.0.0.1:{server.getsockname()[1]}", str, "issues: write").call("GET", "/repos/o/r/issues")
        thread.join()


def test_a_comment_isnt_repeated_when_closing_fails() -> None:
    calls: list[str] = []

    class Fails(Rest):
        def call(self, method: str, path: str, body: Any = None) -> Any:  # noqa: ARG002
            calls.append(f"{method} {path.rpartition('/')[2]}")
            if method == "GET":
                return [{"body": "<!-- atlantis-drift main: vpc:default -->", "number": 7, "user": {"type": "Bot"}}]
            raise GithubError("GitHub answered 500")

    for _ in range(2):
        with pytest.raises(GithubError):
            Issues(Fails("", str, ""), "").of(REPOSITORY).report(result("main", Result.CLEAN))
    assert [call for call in calls if not call.startswith("GET")] == ["PATCH 7", "PATCH 7"]


def test_a_refusal_names_the_permission_that_is_missing(issues: Issues) -> None:
    """The App of these tests may write issues only."""
    discovery = Discovery(Rest(issues._rest._api, issues._rest._token, "contents: read"))
    with pytest.raises(GithubError, match="403; grant the App `contents: read`"):
        discovery.targets(Target(REPOSITORY, "main"))
