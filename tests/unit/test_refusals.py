"""Settings that must be refused, each with its whole message: ``recorded/refusals.yaml``.

Add the settings to that file, run ``python -m tests.unit.test_refusals``, which writes the messages, and read them; it fails for
settings that are accepted. `files` are files of the stack, next to its configuration. Those of the subject `deployment` are refused
after AWS was asked, and before any of its resources is registered; those of `warnings` are accepted, with these warnings.
"""

import contextlib
import tempfile
from pathlib import Path
from typing import Any

import pytest
import yaml

from components import settings
from components.preview_warnings import warnings
from tests.unit.recording import LOCAL, REGION, refusal

RECORDED = Path(__file__).parent / "recorded" / "refusals.yaml"
REFUSALS: dict[str, list[dict[str, Any]]] = yaml.safe_load(RECORDED.read_text(encoding="utf-8"))
ROWS = [(subject, row) for subject, rows in REFUSALS.items() for row in rows]


def recorded_as(subject: str) -> str:
    """The key of a row under which the messages are."""
    return "warned" if subject == "warnings" else "refused"


def problems(subject: str, row: dict[str, Any], folder: Path) -> list[str]:
    """The problems of the least settings with those of the row; null leaves a setting out."""
    if subject == "deployment":
        message, registered = refusal(**row["settings"])
        assert not [resource for resource in registered if resource.custom]
        return [message]
    for name, text in row.get("files", {}).items():
        (folder / name).write_text(text, encoding="utf-8")
    values = {key: value for key, value in (LOCAL | row["settings"]).items() if value is not None}
    if subject == "warnings":
        return list(warnings(settings.parse(values, stack="prod", region=REGION)))
    with pytest.raises(settings.SettingsError) as refused:
        settings.parse(values, stack="prod", region=REGION)
    return refused.value.problems


@pytest.mark.parametrize(
    ("subject", "row"),
    ROWS,
    ids=[
        f"{subject}: {list(row['settings'].values()) + list(row.get('files', {}).values())}"[:80]
        for subject, row in ROWS
    ],
)
def test_settings_are_refused_or_warned_about_with_their_whole_messages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, subject: str, row: dict[str, Any]
) -> None:
    monkeypatch.chdir(tmp_path)
    refused = row[recorded_as(subject)]
    assert problems(subject, row, tmp_path) == ([refused] if isinstance(refused, str) else refused)
    assert "hunter2" not in str(refused)


class _Dumper(yaml.SafeDumper):
    """Writes in double quotes what has an apostrophe or a line break."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = '"' if "'" in text or "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style)


_Dumper.add_representer(str, _text)


def _record() -> None:
    for subject, row in ROWS:
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            found = problems(subject, row, Path(folder))
        row[recorded_as(subject)] = found[0] if len(found) == 1 else found
    text = yaml.dump(
        REFUSALS, Dumper=_Dumper, sort_keys=False, allow_unicode=True, default_flow_style=None, width=10_000
    )
    RECORDED.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    _record()
