"""Writes the pack's findings as SARIF 2.1.0 (OASIS), which code hosts show on pull requests."""

import hashlib
import json
from collections.abc import Iterable
from typing import Any, Final

from analysis import Found
from evaluation.documentation import help_link, website
from policies.catalogue import PACK_NAME, RULES

_SCHEMA: Final = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
# Code hosts sort by a CVSS score.
_SCORES: Final = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "2.0"}
_REPORT: Final = "evaluation-report"


def document(found: Iterable[Found], source: str) -> str:
    """The SARIF document of the findings. source: the file in the repository that the findings point to."""
    run = {
        "tool": {"driver": {"name": PACK_NAME, **_link("informationUri", website()), "rules": _rules()}},
        "results": [_result(each, source) for each in found],
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _link(name: str, address: str | None) -> dict[str, str]:
    """The property with an address; SARIF's addresses may be absent, but not empty."""
    return {name: address} if address else {}


def _rules() -> list[dict[str, Any]]:
    return [
        {
            "id": f"{rule.name}/{check}",
            "shortDescription": {"text": sentence},
            "fullDescription": {"text": rule.why},
            "help": {"text": rule.remediation},
            **_link("helpUri", help_link(rule.name)),
            "properties": {"security-severity": _SCORES[rule.severity], "tags": ["security", *rule.controls]},
        }
        for rule in RULES
        for check, sentence in rule.checks.items()
    ]


def _result(found: Found, source: str) -> dict[str, Any]:
    check = found.check or ("report" if found.policy == _REPORT else "exemption")
    identity = hashlib.sha256(f"{found.urn}\0{found.policy}\0{found.fingerprint or check}".encode()).hexdigest()
    level = "note" if found.policy == _REPORT else {"mandatory": "error"}.get(found.level, "warning")
    return {
        "ruleId": f"{found.policy}/{check}",
        "level": level,
        "message": {"text": found.message},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": {"uri": source}, "region": {"startLine": 1}},
                "logicalLocations": [
                    {"name": found.urn.rpartition("::")[2], "fullyQualifiedName": found.urn, "kind": "resource"}
                ],
            }
        ],
        "partialFingerprints": {"resourceAndFinding/v1": identity},
    }
