"""Attacks of a plan on the server's port, which a plan in the server's container reaches without the load balancer."""

from sandbox.attack.provider import printed
from sandbox.attack.row import Outcome, SkippedError, row, script
from sandbox.attack.target import Target
from sandbox.testbed.local_aws.task_status import StatusFile

_REQUESTS = ("GET /", "DELETE /locks?id=attack", "POST /api/plan", "POST /api/apply", "GET /status", "GET /api/locks")
_DENIED = {"401", "503"}
"""A missing password, and an API without a secret."""


def _answers(target: Target) -> dict[str, str]:
    """The status of each request of a plan."""
    port = StatusFile(target.deployment.state, target.deployment.name).read().port
    asked = " ".join(f'"{request}"' for request in _REQUESTS)
    said = printed(target, "localhost-port", script("localhost-port", requests=asked, port=port))
    return dict(line.rsplit(" ", 1) for line in said.splitlines() if line.count(" ") == 2)


def _is_open(target: Target) -> Outcome:
    if target.isolated:
        raise SkippedError("a worker doesn't reach the server at all, as the row server-reached shows")
    answers = _answers(target)
    if answers.keys() != set(_REQUESTS):
        raise RuntimeError(f"the provider sent other requests: {answers}")
    variables = {item["name"] for item in target.task_definition["containerDefinitions"][0]["environment"]}
    opened = {
        request: status
        for request, status in answers.items()
        if status not in _DENIED and request not in {"GET /status", "GET /api/locks"}
    }
    if opened and "ATLANTIS_WEB_BASIC_AUTH" not in variables and target.outputs:
        raise SkippedError(
            "the load balancer asks for the sign-in, so the server has no password: docs/security.md says what remains"
        )
    return Outcome(bool(opened), str(opened or answers))


ROWS = (
    row(
        "localhost-port",
        _is_open,
        lambda target: Outcome(_answers(target)["GET /status"] == "200", "GET /status is answered"),
    ),
)
