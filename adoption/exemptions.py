"""Exemptions from the policy pack for properties that can't be changed on existing resources."""

import datetime
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from adoption.plan import Plan

__all__ = ["configuration", "exemptions"]

DAYS = 365


def exemptions(plan: Plan) -> dict[str, dict[str, Any]]:
    """Maps each policy to the exemption that the adopted stack needs, in the format of the pack's configuration."""
    if plan.settings.get("efsEncryptionKey") != "aws":
        return {}
    last_day = datetime.datetime.now(datetime.UTC).date() + datetime.timedelta(days=DAYS)
    return {
        "encryption": {
            "resource": "storage-efs",
            "checks": ["customer-key"],
            "reason": "Adopted with the AWS managed key, which can't be changed on an existing file system.",
            "expires": last_day.isoformat(),
        }
    }


def configuration(file: Path, needed: Mapping[str, Mapping[str, Any]]) -> tuple[dict[str, Any], list[str]]:
    """The pack's configuration in `file` with the exemptions added, and an instruction for each missing exemption."""
    content: dict[str, Any] = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    lacking: list[str] = []
    for policy, exemption in needed.items():
        given: Any = content.get(policy, {})
        entry: dict[str, Any] = {"enforcementLevel": given} if isinstance(given, str) else given
        known = entry.get("exemptions", [])
        if not any(item.get("resource") == exemption["resource"] for item in known):
            content[policy] = {**entry, "exemptions": [*known, dict(exemption)]}
            checks = ", ".join(exemption["checks"])
            lacking.append(
                f"The policy pack refuses {exemption['resource']} as it is ({policy}: {checks}). Add to `exemptions` of `{policy}` in "
                f"policy/config/{file.name}, with a last day of your own: {json.dumps(exemption)}"
            )
    return content, lacking
