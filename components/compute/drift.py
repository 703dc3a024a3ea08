"""What drift detection adds to the agent: its schedule, its projects and its secrets."""

import json
from collections.abc import Mapping
from typing import Any

import pulumi

from ..settings.drift import PROJECT, DriftArgs
from .inputs import ComputeInputs
from .server_container import WEB_USER, api_secret


def agent_environment(args: ComputeInputs) -> dict[str, pulumi.Input[str]]:
    """The agent's variables."""
    variables: dict[str, pulumi.Input[str]] = {
        "ATLANTIS_ATLANTIS_URL": args.url,
        "DRIFT_DETECTION": document(args.drift, args.configuration.default_branch),
        "DRIFT_LOG_GROUP": args.context.names.agent_log_group,
        "DRIFT_LOG_ROLE": args.context.names.drift_role_arn,
    }
    return variables | ({"ATLANTIS_WEB_USERNAME": WEB_USER} if args.web_password_secret_arn else {})


def agent_secrets(args: ComputeInputs) -> dict[str, pulumi.Input[str]]:
    """The agent's secrets by variable, in addition to the App's: the API's, and the page's password, which deletes locks."""
    secrets: dict[str, pulumi.Input[str]] = {}
    if args.api_secret_arn:
        secrets["ATLANTIS_API_SECRET"] = api_secret(args.api_secret_arn)
    if args.web_password_secret_arn:
        secrets["ATLANTIS_WEB_PASSWORD"] = pulumi.Output.concat(args.web_password_secret_arn, ":web_password::")
    return secrets


def document(drift: DriftArgs, default_branch: str) -> str:
    """The projects and the schedule, as docker/isolation/isolation/drift/configuration.py reads them."""
    repositories: dict[tuple[str, str], dict[str, Any]] = {}
    for entry in drift.drift_projects:
        found = _parts(entry)
        key = (found["repository"], found["branch"] or default_branch)
        repository = repositories.setdefault(key, {"repository": key[0], "branch": key[1]})
        if found["directory"]:
            directory = ":".join(filter(None, (found["directory"], found["workspace"])))
            repository.setdefault("directories", []).append(directory)
        elif found["project"]:
            repository.setdefault("projects", []).append(found["project"])
    schedule = {"dailyAt": drift.drift_daily_at} if drift.drift_daily_at else {"everyHours": drift.drift_every_hours}
    return json.dumps(
        {"repositories": list(repositories.values()), "schedule": schedule, "showPlan": drift.drift_show_plan}
    )


def _parts(entry: str) -> Mapping[str, str]:
    found = PROJECT.fullmatch(entry)
    assert found is not None, entry  # noqa: S101 the setting accepts nothing else
    return found.groupdict()
