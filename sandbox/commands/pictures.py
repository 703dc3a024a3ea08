"""`make pictures`: draw the page of a pull request with Atlantis' comments, light and dark, for the documentation.

The stand-in of GitHub has no pages. The text is that of the server; the layout follows GitHub's.
"""

import argparse
import html
import re
import shutil
import subprocess
import tempfile
import textwrap
from pathlib import Path

from sandbox.pull_requests import PullRequests
from sandbox.sandbox import Sandbox
from sandbox.testbed import console
from sandbox.testbed.errors import SandboxError
from sandbox.testbed.github.store import PullRequest
from sandbox.testbed.paths import CHECKOUT

_WIDTH = 960
_BROWSERS = ("chromium", "chromium-browser", "google-chrome")
_MODES = {
    "light": ("#fff", "#1f2328", "#d1d9e0", "#f6f8fa", "#59636e", "#0969da", "#1a7f37", "#d1242f"),
    "dark": ("#0d1117", "#f0f6fc", "#3d444d", "#151b23", "#9198a1", "#4493f8", "#3fb950", "#f85149"),
}
"""Background, text, borders, headings and code, notes, links, added and removed lines."""
_STYLE = """
body {{ margin: 0; padding: 24px; width: 912px; background: {0}; color: {1}; font: 15px/1.5 "Helvetica Neue", "DejaVu Sans", sans-serif }}
h1 {{ font-size: 24px; font-weight: 400; margin: 0 0 16px }} h1 span, .event {{ color: {4} }} a {{ color: {5}; text-decoration: none }}
.comment {{ border: 1px solid {2}; border-radius: 6px; margin: 16px 0 }} .comment > div {{ padding: 4px 16px 12px }}
.comment > header {{ background: {3}; color: {4}; border-bottom: 1px solid {2}; border-radius: 6px 6px 0 0; padding: 8px 16px }}
header b {{ color: {1} }} hr {{ border: 0; border-top: 1px solid {2} }} p {{ margin: 8px 0 }}
code, pre {{ background: {3}; border-radius: 6px; font: 12.5px/1.45 "DejaVu Sans Mono", monospace }} code {{ padding: 2px 5px }}
pre {{ padding: 12px; margin: 8px 0; white-space: pre-wrap }} .add {{ color: {6} }} .remove {{ color: {7} }}
"""
_SIGNS = {"arrow_forward": "▶", "put_litter_in_its_place": "✖", "repeat": "↻", "fast_forward": "»"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The arguments of ``pictures``."""
    parser.add_argument("--number", type=int, default=1, help="the pull request, which `make pr` opened (default: 1)")
    parser.add_argument("--output", type=Path, default=CHECKOUT / "docs" / "images", help="the folder of the pictures")


def run(arguments: argparse.Namespace) -> int:
    """Write ``pull-request-light.png`` and ``pull-request-dark.png``."""
    browser = next(filter(None, map(shutil.which, _BROWSERS)), None)
    if browser is None:
        raise SandboxError("This machine has no chromium, which draws the pictures (Debian: apt-get install chromium)")
    requests = PullRequests.of(Sandbox(arguments.stack))
    pull = requests.find(requests.repository(), arguments.number)
    comments = requests.comments(pull)
    for mode in _MODES:
        file = arguments.output / f"pull-request-{mode}.png"
        _draw(browser, page(pull, comments, mode), file)
        console.step(f"Wrote {file}")
    return 0


def page(pull: PullRequest, comments: list[str], mode: str) -> str:
    """The page in HTML; a script writes its height into the title."""
    parts = [f"<h1>{html.escape(pull.title)} <span>#{pull.number}</span></h1>"]
    for comment in comments:
        if comment.lstrip().startswith("Ran Apply"):
            parts += [f'<p class="event">✔ <b>{login}</b> approved these changes</p>' for login in pull.approved_by]
            parts.append(_comment(pull.author, "atlantis apply"))
        parts.append(_comment("atlantis", comment))
    style = _STYLE.format(*_MODES[mode])
    measured = "<script>document.title = document.documentElement.scrollHeight</script>"
    return f'<!doctype html><meta charset="utf-8"><title></title><style>{style}</style>{"".join(parts)}{measured}'


def _comment(author: str, text: str) -> str:
    return f'<div class="comment"><header><b>{author}</b> commented</header><div>{_markdown(text)}</div></div>'


def _markdown(text: str) -> str:
    """The part of Markdown that Atlantis' comments use."""
    blocks = re.split(r"^ *```(\w*)\n(.*?)^ *```$", text.replace("<details>", "<details open>"), flags=re.M | re.S)
    parts = []
    for prose, language, code in zip(blocks[::3], [*blocks[1::3], ""], [*blocks[2::3], ""], strict=True):
        parts += [
            f"<p>{_inline(line)}</p>" if line.strip("- ") else "<hr>" for line in prose.splitlines() if line.strip()
        ]
        if code:
            lines = "\n".join(_line(line, language) for line in textwrap.dedent(code).strip("\n").split("\n"))
            parts.append(f"<pre>{lines}</pre>")
    return "".join(parts)


def _inline(line: str) -> str:
    if re.match(r"</?(details|summary)", line):
        return line
    line = re.sub(r":(\w+):", lambda sign: _SIGNS.get(sign[1], ""), html.escape(line, quote=False))
    line = re.sub(r"\[([^\]]+)\]\(([^)]+)\)", r'<a href="\2">\1</a>', re.sub(r"^\* ", "• ", line))
    return re.sub(r"\*\*(.+?)\*\*", r"<b>\1</b>", re.sub(r"`(.+?)`", r"<code>\1</code>", line))


def _line(line: str, language: str) -> str:
    kind = {"+": "add", "-": "remove"}.get(line[:1]) if language == "diff" else None
    return f'<span class="{kind}">{html.escape(line)}</span>' if kind else html.escape(line)


def _draw(browser: str, document: str, file: Path) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "page.html"
        source.write_text(document, encoding="utf-8")
        # The page is ours and needs no network, and root can't use the browser's own sandbox.
        command = [
            browser,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--hide-scrollbars",
            f"--user-data-dir={folder}/profile",
        ]

        def call(height: int, *arguments: str) -> str:
            words = [*command, f"--window-size={_WIDTH},{height}", *arguments, source.as_uri()]
            return subprocess.run(words, capture_output=True, text=True, check=True, timeout=120).stdout

        measured = re.search(r"<title>(\d+)</title>", call(200, "--dump-dom"))
        if measured is None:
            raise SandboxError(f"{browser} didn't show the page")
        call(int(measured[1]), f"--screenshot={file.resolve()}")
