"""What drift detection adds to the agent: its schedule and its projects."""

import json
from collections.abc import Mapping
from typing import Any

import pulumi

from ..parts import Parts
from ..settings.drift import PROJECT, DriftArgs
from .server_container import WEB_USER


def agent_environment(parts: Parts) -> dict[str, pulumi.Input[str]]:
    """The agent's variables."""
    settings, names = parts.settings, parts.context.names
    variables: dict[str, pulumi.Input[str]] = {
        "ATLANTIS_ATLANTIS_URL": settings.ingress.url,
        "DRIFT_DETECTION": document(settings.drift, settings.configuration.default_branch),
        "DRIFT_LOG_GROUP": names.agent_log_group,
        "DRIFT_LOG_ROLE": names.drift_role_arn,
    }
    return variables | ({"ATLANTIS_WEB_USERNAME": WEB_USER} if "webPassword" in parts.secrets.arns else {})


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
        else:
            repository["all"] = True
    schedule = {"dailyAt": drift.drift_daily_at} if drift.drift_daily_at else {"everyHours": drift.drift_every_hours}
    return json.dumps(
        {"repositories": list(repositories.values()), "schedule": schedule, "showPlan": drift.drift_show_plan}
    )


def _parts(entry: str) -> Mapping[str, str]:
    found = PROJECT.fullmatch(entry)
    assert found is not None, entry  # noqa: S101 the setting accepts nothing else
    return found.groupdict()
