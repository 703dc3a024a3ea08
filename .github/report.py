"""Renders a Pulumi run as Markdown, for a pull request's comment, an issue and the job's summary.

The result, the policy findings and the changes come first. The full output follows, truncated to GitHub's limit of
65,536 characters per comment (https://docs.github.com/rest/issues/comments).
"""

import argparse
import sys
from pathlib import Path

LIMIT = 60_000
FENCE = "~" * 10


def report(title: str, code: int, output: str) -> str:
    """Format one run as Markdown.

    Args:
        title: the heading.
        code: the CLI's exit code.
        output: what the CLI printed, without colors.
    """
    result = "Succeeded." if code == 0 else f"**Failed** with exit code {code}."
    parts = [f"## {title}", result]
    for heading, section in (("Policies", "Policies:"), ("Diagnostics", "Diagnostics:"), ("Changes", "Resources:")):
        found = _section(output, section)
        if found:
            parts += [f"### {heading}", _fenced(_cut(found, LIMIT // 4))]
    room = LIMIT - sum(len(part) + 2 for part in parts)
    parts.append(f"<details><summary>Output</summary>\n\n{_fenced(_cut(output, room), 'diff')}\n\n</details>")
    return "\n\n".join(parts) + "\n"


def _section(output: str, heading: str) -> str:
    """The indented lines under ``heading``, as the CLI prints its sections; empty if there is no such section."""
    lines = output.splitlines()
    if heading not in lines:
        return ""
    found: list[str] = []
    for line in lines[lines.index(heading) + 1 :]:
        if line and not line.startswith(" "):
            break
        found.append(line)
    return "\n".join(found).strip("\n")


def _fenced(text: str, language: str = "") -> str:
    return f"{FENCE}{language}\n{text.strip(chr(10))}\n{FENCE}"


def _cut(text: str, room: int) -> str:
    """The beginning of ``text``, with a note if the rest is truncated."""
    if len(text) <= room:
        return text
    return f"{text[: max(room - 80, 0)]}\n... cut; the job's log has the rest"


def main() -> None:
    """Print the report of a file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, help="what the CLI printed")
    parser.add_argument("--title", required=True)
    parser.add_argument("--code", type=int, required=True, help="the CLI's exit code")
    arguments = parser.parse_args()
    output = arguments.file.read_text(encoding="utf-8", errors="replace")
    sys.stdout.write(report(arguments.title, arguments.code, output))


if __name__ == "__main__":
    main()
