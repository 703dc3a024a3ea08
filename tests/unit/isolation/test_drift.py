"""Drift detection's schedule, requests and results."""

import datetime
import json

import pytest

from isolation.drift.configuration import Configuration, Schedule, Target
from isolation.drift.results import Result, results_of, state_lock

TARGET = Target("o/r", "main", directory="vpc")
LOCKED = "This project is currently locked by an unapplied plan from pull {0}. To continue, delete the lock from {0}"
STATE_LOCK = """
Error: Error acquiring the state lock

Error message: operation error S3: PutObject, https response error StatusCode: 412
│ Lock Info:
│   ID:        6f1c9c1a-9d3c-5f0e-0b1a-1f6c2b3d4e5f
│   Path:      bucket/vpc/terraform.tfstate
│   Operation: OperationTypePlan
│   Who:       atlantis@ip-10-0-0-1
│   Created:   2026-11-28 03:12:11.123456789 +0000 UTC
"""


def answer(**project: object) -> dict[str, object]:
    return {"data": {"projects": [{"directory": "vpc", "workspace": "default", "project_name": "", **project}]}}


@pytest.mark.parametrize(
    ("status", "body", "result"),
    [
        (200, answer(has_drift=False), Result.CLEAN),
        (200, answer(has_drift=True, drift={"to_change": 1, "summary": "1 to change"}), Result.DRIFTED),
        (207, answer(has_drift=False, error="exit status 1"), Result.FAILED),
        (207, answer(has_drift=True, error="exit status 1"), Result.FAILED),
        (207, answer(has_drift=False, error=LOCKED.format("#12")), Result.LOCKED),
        (207, answer(has_drift=False, error=LOCKED.format("#-986911510")), Result.FAILED),
        (200, {"data": {"projects": []}}, Result.FAILED),
        (200, {"data": None}, Result.FAILED),
        (500, {"error": {"code": "internal", "message": "not in the allowlist"}}, Result.FAILED),
        (503, {"error": "drift detection is not enabled"}, Result.FAILED),
        (0, {"error": "the server doesn't answer: refused"}, Result.FAILED),
    ],
)
def test_each_answer_is_one_of_four_results(status: int, body: dict[str, object], result: Result) -> None:
    (found,) = results_of(TARGET, status, body)
    assert found.result is result
    assert (found.error == "") is (result in (Result.CLEAN, Result.DRIFTED))


def test_a_failed_request_says_why() -> None:
    (found,) = results_of(TARGET, 500, {"error": {"message": "not in the allowlist"}})
    assert found.error == "the server answered 500: not in the allowlist"


def test_the_lock_of_a_state_is_read_from_terraforms_message() -> None:
    found = state_lock(STATE_LOCK)
    assert found is not None
    assert (found.id, found.path) == ("6f1c9c1a-9d3c-5f0e-0b1a-1f6c2b3d4e5f", "bucket/vpc/terraform.tfstate")
    assert found.created.startswith("2026-11-28 03:12:11")
    assert state_lock("Error: no such bucket\n ID: 1") is None


@pytest.mark.parametrize(
    ("now", "seconds"), [("04:29:00", 60), ("04:30:00", 86400), ("04:31:00", 86340), ("23:30:00", 18000)]
)
def test_a_daily_run_is_at_its_next_time(now: str, seconds: int) -> None:
    schedule = Schedule(daily_at=datetime.time(4, 30))
    assert schedule.seconds_until_next(datetime.datetime.fromisoformat(f"2026-11-28T{now}+00:00")) == seconds


def test_a_request_names_one_project() -> None:
    document = {
        "schedule": {"everyHours": 6},
        "showPlan": True,
        "repositories": [
            {"repository": "o/r", "branch": "main", "directories": ["vpc", "dns:prod"], "projects": ["shop"]},
            {"repository": "o/all", "branch": "release"},
            {"repository": "o/all", "branch": "main", "directories": ["vpc"], "all": True},
            {"repository": "o/one", "branch": "main", "directories": ["vpc", "vpc/", "./vpc", "vpc:default"]},
        ],
    }
    configuration = Configuration.parse(json.dumps(document))
    assert [target.request for target in configuration.targets] == [
        {"repository": "o/r", "ref": "main", "type": "Github", "paths": [{"directory": "vpc", "workspace": "default"}]},
        {"repository": "o/r", "ref": "main", "type": "Github", "paths": [{"directory": "dns", "workspace": "prod"}]},
        {"repository": "o/r", "ref": "main", "type": "Github", "projects": ["shop"]},
        {"repository": "o/all", "ref": "release", "type": "Github"},
        {"repository": "o/all", "ref": "main", "type": "Github"},
        {
            "repository": "o/one",
            "ref": "main",
            "type": "Github",
            "paths": [{"directory": "vpc", "workspace": "default"}],
        },
    ]
    assert configuration.show_plan
    assert configuration.schedule.seconds_until_next(datetime.datetime.now(datetime.UTC)) == 6 * 3600
