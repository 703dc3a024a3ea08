"""Generates the pack's reference from the rules: run ``python -m reference`` in the pack's directory.

It writes the policies' part of README.md and the JSON schema of configuration files. A test checks that both are current.
"""

import json
from pathlib import Path
from typing import Any, Final

from evaluation.configuration import Option
from evaluation.rule import Rule
from policies.catalogue import PACK_NAME, RULES

PACK: Final = Path(__file__).parent
README: Final = PACK / "README.md"
SCHEMA: Final = PACK / "configuration.schema.json"

BEGIN: Final = "<!-- Generated from the policies: python -m reference -->"
END: Final = "<!-- End of the generated part -->"
LEVELS: Final = ["advisory", "mandatory", "remediate", "disabled"]


def schema() -> str:
    """The JSON schema of a configuration file (``--policy-pack-config``)."""
    content = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": f"Configuration of the policy pack {PACK_NAME}",
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "all": {"enum": LEVELS},
            "environments": {
                "type": "array",
                "items": {"type": "string"},
                "description": "Pulumi ESC environments that the engine reads.",
            },
            **{rule.name: _rule_schema(rule) for rule in RULES},
        },
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _rule_schema(rule: Rule) -> dict[str, Any]:
    level = {"enum": LEVELS, "default": rule.level}
    properties = {"enforcementLevel": level, **rule.schema()}
    configured = {"type": "object", "additionalProperties": False, "properties": properties}
    return {"description": rule.description, "anyOf": [{"enum": LEVELS}, configured]}


def readme(current: str) -> str:
    """README.md with the generated part replaced."""
    before, begin, rest = current.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"README.md must contain the lines {BEGIN} and {END}")
    return f"{before}{BEGIN}\n\n{_table()}\n\n{_sections()}\n{END}{after}"


def _table() -> str:
    lines = ["| policy | level | severity | what it requires | controls |", "|---|---|---|---|---|"]
    for rule in RULES:
        cells = (
            f"[{rule.name}](#{rule.name})",
            rule.level,
            rule.severity,
            rule.description,
            ", ".join(rule.controls) + (f" ({', '.join(rule.related)})" if rule.related else ""),
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _sections() -> str:
    return "\n".join(_section(rule) for rule in RULES)


def _section(rule: Rule) -> str:
    kind = "the whole stack" if rule.whole_stack else "each resource before it is created"
    verb = "Changes" if rule.fixes else "Evaluates"
    lines = [
        f"### {rule.name}",
        "",
        f"{rule.why} *{verb} {kind}.*",
        "",
        *(f"- `{name}`: {sentence}" for name, sentence in rule.checks.items()),
        "",
    ]
    if rule.settings:
        lines += ["| key | default | meaning |", "|---|---|---|", *(_key(rule, each) for each in rule.settings), ""]
    return "\n".join(lines)


def _key(rule: Rule, setting: Option) -> str:
    first = next(each.name for each in RULES if setting in each.settings)
    if first != rule.name:
        return f"| `{setting.name}` | `{json.dumps(setting.default)}` | As in [{first}](#{first}). |"
    accepted = f" One or more of {', '.join(setting.accepted)}." if setting.accepted else ""
    return f"| `{setting.name}` | `{json.dumps(setting.default)}` | {setting.description}{accepted} |"


if __name__ == "__main__":
    README.write_text(readme(README.read_text(encoding="utf-8")), encoding="utf-8")
    SCHEMA.write_text(schema(), encoding="utf-8")
