"""The settings of drift detection."""

import re
from collections.abc import Sequence

from . import values
from .schema import Group, group, setting

_MOST_PROJECTS = 200
"""All containers of a task definition have 64 KiB together."""
_LONGEST_INTERVAL = 84
"""Hours. The alarm waits for two intervals, and CloudWatch evaluates at most seven days."""

PROJECT = re.compile(
    r"(?P<repository>[\w.-]{1,39}/[\w.-]{1,100})"
    r"(@(?P<branch>(?![/-])[\w./-]{1,100}(?<![/.])))?"
    r"(:(?P<directory>(?!/)(?!.*\.\.)[\w./-]{1,200})(:(?P<workspace>[\w-][\w.-]{0,89}))?|#(?P<project>[\w./-]{1,100}))?",
    re.ASCII,
)


@group
class DriftArgs(Group):
    """Drift detection: plans the projects of repositories on a schedule and reports what differs from the code."""

    drift_projects: Sequence[str] = setting(
        values.list_of(
            values.matching(
                PROJECT.pattern,
                "owner/name, owner/name:directory, owner/name:directory:workspace or owner/name#project; @branch after the name sets "
                "another branch than defaultBranch",
            ),
            at_most=_MOST_PROJECTS,
        ),
        default=(),
    )
    """Projects to detect drift in: owner/name:directory, owner/name:directory:workspace, owner/name#project, or owner/name for all.
    owner/name@branch sets another branch than defaultBranch. Only with terraformIsolation tasks. Empty: no drift detection"""
    drift_every_hours: int = setting(values.integer(range(1, _LONGEST_INTERVAL + 1)), default=24)
    """Hours between two detections, 1 to 84. Not with driftDailyAt"""
    drift_daily_at: str | None = setting(
        values.matching(r"([01]\d|2[0-3]):[0-5]\d", "a time of day in UTC such as 04:30"), default=None
    )
    """Time of day in UTC, such as 04:30. Empty: driftEveryHours"""
    drift_show_plan: bool = setting(values.boolean, default=False)
    """Show the text of the plan, which can contain secret values, in the issue of a project that has drifted"""

    @property
    def enabled(self) -> bool:
        """Whether drift is detected."""
        return bool(self.drift_projects)

    @property
    def interval_hours(self) -> int:
        """Hours from one detection to the next."""
        return 24 if self.drift_daily_at else self.drift_every_hours
