"""Attacks on the server's rules: who can plan and apply what, and whether a pull request can change that."""

import json

from sandbox.attack.names import answered_with_plan
from sandbox.attack.pull_requests import HARMLESS, Answered, applied, approved, ask, backend, commented, opened, planned
from sandbox.attack.row import Outcome, files, row
from sandbox.attack.target import Target
from sandbox.testbed.github import events
from sandbox.testbed.github.store import PullRequest


def _was_applied(answered: Answered) -> Outcome:
    applied = "Apply complete!" in answered.text
    return Outcome(applied, "applied" if applied else answered.gist)


def _unapproved(target: Target) -> Outcome:
    plan = planned(target, "unapproved-apply", {"main.tf": HARMLESS + backend(target)})
    return _was_applied(commented(target, plan.pull, "atlantis apply", author="stranger"))


def _approved(target: Target) -> Outcome:
    return _was_applied(applied(target, "approved-apply", HARMLESS))


def _own_requirements(target: Target) -> Outcome:
    changed = {"main.tf": HARMLESS + backend(target), **files("own-requirements")}
    plan = planned(target, "own-requirements", changed)
    return _was_applied(commented(target, plan.pull, "atlantis apply"))


def _own_workflow(target: Target) -> Outcome:
    answered = planned(target, "own-workflow", {"main.tf": HARMLESS, **files("own-workflow")})
    return Outcome("the pull request ran its own command" in answered.text, answered.gist)


def _own_projects(target: Target) -> Outcome:
    configuration = "version: 3\nprojects:\n  - dir: .\n"
    changed = {"main.tf": HARMLESS, "atlantis.yaml": configuration}
    return target.once("own-projects", lambda: answered_with_plan(planned(target, "own-projects", changed)))


def _fork(target: Target, owner: str) -> Outcome:
    """A pull request whose branch is in ``owner``'s fork of the repository."""
    pull = opened(target, f"fork-{owner}", {"main.tf": HARMLESS})
    payload = json.loads(events.pull_request(target.github, pull))
    repository = payload["pull_request"]["head"]["repo"]
    own = repository["owner"]["login"]
    head = json.loads(json.dumps(repository).replace(f"{own}/", f"{owner or own}/"))
    head["owner"] = {**repository["owner"], "login": owner or own}
    payload["pull_request"]["head"]["repo"] = head
    return answered_with_plan(ask(target, pull, "pull_request", json.dumps(payload).encode()))


def _state_command(target: Target) -> Outcome:
    plan = planned(target, "state-command", {"main.tf": HARMLESS})
    answered = commented(target, plan.pull, "atlantis state rm terraform_data.harmless")
    return Outcome("Ran State" in answered.text and "rror" not in answered.text, answered.gist)


def _unlock(target: Target) -> Outcome:
    plan = planned(target, "unlock-command", {"main.tf": HARMLESS})
    answered = commented(target, plan.pull, "atlantis unlock")
    return Outcome("have been unlocked" in answered.text, answered.gist)


def _obeyed(target: Target) -> tuple[PullRequest, bytes, Outcome]:
    """An apply that succeeded, with the body of its delivery."""

    def apply() -> tuple[PullRequest, bytes, Outcome]:
        pull = approved(target, "replayed-apply", HARMLESS)
        delivery = events.comment(pull, "atlantis apply")
        return pull, delivery, _was_applied(ask(target, pull, "issue_comment", delivery))

    return target.once("replayed-apply", apply)


def _replayed(target: Target) -> Outcome:
    pull, delivery, _ = _obeyed(target)
    target.github.close(pull)
    return _was_applied(ask(target, pull, "issue_comment", delivery))


def _other_base(target: Target) -> Outcome:
    pull = opened(target, "other-base", {"main.tf": HARMLESS})
    target.github.commit(pull.repository, "release", {"README.md": "Nobody protects this branch.\n"}, "Branch off")
    pull = target.github.retarget(pull, "release")
    answer = target.deliver("pull_request", events.pull_request(target.github, pull))
    # An ignored event gets no comment. Events are processed in order, so a later plan shows that it was processed.
    after = answered_with_plan(planned(target, "other-base-after", {"main.tf": HARMLESS}))
    comments = target.requests.comments(pull)
    return Outcome(
        bool(comments) or not after.allowed, comments[0][:140] if comments else f"{answer.status}, and no plan"
    )


def _main_base(target: Target) -> Outcome:
    return answered_with_plan(planned(target, "main-base", {"main.tf": HARMLESS}))


def _elsewhere(target: Target, repository: str) -> Outcome:
    pull = opened(target, "elsewhere", {"main.tf": HARMLESS})
    body = events.pull_request(target.github, pull).replace(
        pull.repository.encode(), repository.encode() or pull.repository.encode()
    )
    answer = target.deliver("pull_request", body)
    return Outcome(answer.status == 200, f"{answer.status} {answer.body.decode(errors='replace').strip()}"[:140])


ROWS = (
    row("unapproved-apply", _unapproved, _approved),
    row("own-requirements", _own_requirements, _own_projects),
    row("own-workflow", _own_workflow, _own_projects),
    row("fork", lambda target: _fork(target, "stranger"), lambda target: _fork(target, "")),
    row(
        "repository-elsewhere",
        lambda target: _elsewhere(target, "stranger/infrastructure"),
        lambda target: _elsewhere(target, ""),
    ),
    row("other-base", _other_base, _main_base),
    row("state-command", _state_command, _unlock),
    row("replayed-delivery", _replayed, lambda target: _obeyed(target)[2]),
)
