"""A check is a function that returns what it found, or raises a failure with a remedy."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from components.configuration.secret_names import redacted
from preflight.deployment import Deployment
from preflight.errors import Status, UnmetError


@dataclass(frozen=True)
class Check:
    """A check, and the checks that it depends on."""

    subject: str
    title: str
    function: Callable[[Deployment], str]
    needs: tuple[Callable[[Deployment], str], ...] = ()


@dataclass(frozen=True)
class Result:
    """The outcome of a check. `message` states what was found, or what is wrong."""

    subject: str
    title: str
    status: Status
    message: str
    remedy: str = ""


def run_checks(checks: Iterable[Check], deployment: Deployment) -> Iterator[Result]:
    """Run the checks in order. A check isn't run if one that it depends on has failed or wasn't checked.

    Yields:
        One result for each check, as soon as it is available.
    """
    ended: dict[Callable[[Deployment], str], Result] = {}
    for check in checks:
        unmet = [ended[need] for need in check.needs if ended[need].status in (Status.FAILED, Status.NOT_CHECKED)]
        if unmet:
            first = unmet[0]
            result = Result(
                check.subject, check.title, Status.NOT_CHECKED, f"needs: {first.subject} {first.title} ({first.status})"
            )
        else:
            result = _run(check, deployment)
        ended[check.function] = result
        yield result


def _run(check: Check, deployment: Deployment) -> Result:
    try:
        return Result(check.subject, check.title, Status.OK, redacted(check.function(deployment)))
    except UnmetError as unmet:
        return Result(check.subject, check.title, unmet.status, unmet.message, unmet.remedy)
