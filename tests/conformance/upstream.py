"""Atlantis' own end-to-end cases, read from its sources: the repositories, the commands and the expected comments.

Nothing of them is in this repository. What differs from Atlantis' own run of them is here:

- A provider needs a download, so the resources ``null_resource`` and ``random_id`` are Terraform's built-in ``terraform_data``, in
  the configuration and in the expected comments.
- The identifiers, and the order in which resources are created, differ between two runs. Atlantis' own test ignores them too.
- A link to a lock is ``lock-url``.
- Atlantis folds long output. A comment is compared without its folding if its number of lines differs: `terraform_data` has fewer
  attributes than ``random_id``, and on a slow machine, Terraform reports that it waits for the lock of a state.
"""

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from sandbox.atlantis import build
from sandbox.testbed.errors import SandboxError

WAITED = "Acquiring state lock. This may take a few moments...\n"


_TABLE = re.compile(r"^func Test.*?^\tcases := .*?^\t\}\{\n(?P<rows>.*?)^\t\}\n", re.MULTILINE | re.DOTALL)
_ROW = re.compile(r"^\t\t\{\n(.*?)^\t\t\},\n", re.MULTILINE | re.DOTALL)
_FIELD = re.compile(r"^\t\t\t(\w+):\s+(.*?),\n(?=\t\t\t\w|\Z)", re.MULTILINE | re.DOTALL)
_PROVIDERS = re.compile(
    r"required_providers \{(?:[^{}]|\{[^{}]*\})*\}|provider \"\w+\" \{\s*\}|^ *byte_length *=.*$", re.MULTILINE
)
_REPLACED = re.compile(r"\b(?:null_resource|random_id)\b")
_ATTRIBUTES = re.compile(r"^.*\b(?:b64_std|b64_url|byte_length|dec|hex) += .*\n", re.MULTILINE)


@dataclass(frozen=True)
class Case:
    """One case.

    Attributes:
        modified: the files of the pull request; the base branch has the others.
        replies: the files with the expected comments, in order. Those of a parallel operation are parts of one comment.
        flags: of the server, as ``serverConfigFile`` has them.
        rules: of the server, as ``repoConfigFile`` has them.
        locked: whether applies are disabled on the web page.
    """

    name: str
    directory: Path
    modified: Sequence[str]
    comments: Sequence[str]
    replies: Sequence[Sequence[str]]
    flags: Mapping[str, Any]
    rules: Mapping[str, Any] = field(repr=False)
    locked: bool

    @property
    def repository(self) -> str:
        """A repository for this case."""
        return f"runatlantis/{re.sub(r'[^a-z0-9]+', '-', self.name.lower()).strip('-')}"

    def files(self, backend: str = "") -> dict[str, str]:
        """The repository's files by path. Each project keeps its state in ``backend``, with ``KEY`` for its key, if it names none."""
        found = {}
        for file in sorted(path for path in self.directory.rglob("*") if path.is_file()):
            text = _REPLACED.sub("terraform_data", file.read_text(encoding="utf-8"))
            found[str(file.relative_to(self.directory))] = _PROVIDERS.sub("", text) if file.suffix == ".tf" else text
        names = {str(Path(path).parent) for path in found if path.endswith(".tf") and "modules/" not in path}
        own = {str(Path(path).parent) for path, text in found.items() if 'backend "' in text}
        for name in names - own if backend else ():
            found[str(Path(name, "backend.tf"))] = backend.replace("KEY", f"{self.repository}/{name}/terraform.tfstate")
        return found

    @property
    def shorter(self) -> bool:
        """Whether the built-in resource has fewer attributes than the replaced one."""
        return any("random_id" in file.read_text(encoding="utf-8") for file in self.directory.rglob("*.tf"))

    def expected(self, name: str) -> str:
        """The text of an expected comment."""
        return normalized((self.directory / name).read_text(encoding="utf-8"))


def normalized(comment: str) -> str:
    """A comment without what differs between two runs, and with the built-in resource."""
    text = _ATTRIBUTES.sub("", _REPLACED.sub("terraform_data", comment))
    text = re.sub(r"\bid += \(known after apply\)", "id = (known after apply)", text)
    text = re.sub(r"^terraform_data\.simple(?:\[\d\])?\d?:.*", "terraform_data.simple:", text, flags=re.MULTILINE)
    text = re.sub(r"Creation complete after \S+ \[id=[^\]]+\]", "Creation complete after *s [id=*]", text)
    return re.sub(r"\[here\]\([^)]*\)", "[here](lock-url)", text).strip()


def unfolded(comment: str) -> str:
    """A comment without its folding, and without the line of a wait for the lock of a state."""
    text = re.sub(r"<details><summary>Show Output</summary>\n|</details>\n?|(?<=```\n)Plan: .*\n", "", comment)
    return re.sub(r"\n\n+", "\n", text.replace(WAITED, ""))


def _cases() -> Iterator[Case]:
    try:
        events = build.sources() / "server" / "controllers" / "events"
    except SandboxError:
        return
    source = (events / "events_controller_e2e_test.go").read_text(encoding="utf-8")
    for table in _TABLE.finditer(source):
        for row in _ROW.finditer(table["rows"]):
            yield _case(
                events / "testdata" / "test-repos", {name: _value(text) for name, text in _FIELD.findall(row[1])}
            )


def _case(repositories: Path, row: Mapping[str, Any]) -> Case:
    directory = repositories / row["RepoDir"]
    flags = {
        "enable-policy-checks": row.get("PolicyCheck"),
        "quiet-policy-checks": row.get("ExpQuietPolicyChecks"),
        "disable-autoplan": row.get("DisableAutoplan"),
        "allow-commands": ",".join(row.get("AllowCommands", ["all"])),
    }
    everyone = {
        "id": "/.*/",
        "branch": "/.*/",
        "apply_requirements": [],
        "import_requirements": [],
        "allowed_overrides": [
            "plan_requirements",
            "apply_requirements",
            "import_requirements",
            "workflow",
            "policy_check",
        ],
        "allow_custom_workflows": True,
        **({"repo_config_file": row["RepoConfigFile"]} if "RepoConfigFile" in row else {}),
    }
    own = directory / "repos.yaml"
    rules = yaml.safe_load(own.read_text(encoding="utf-8")) if own.exists() else {}
    case = Case(
        name=f"{row['Description'].strip()} ({row['RepoDir']})",
        directory=directory,
        modified=[path.rstrip(",") for path in row.get("ModifiedFiles", [])],
        comments=row["Comments"],
        replies=row["ExpReplies"],
        flags={name: value for name, value in flags.items() if value},
        rules={**rules, "repos": [everyone, *rules.get("repos", [])]},
        locked=row.get("ApplyLock", False),
    )
    for rule in case.rules["repos"]:
        # Atlantis' own test has one repository for all cases.
        rule["id"] = rule["id"].replace("runatlantis/atlantis-tests", case.repository)
    return case


def _value(text: str) -> Any:
    """A value of Go's as Python's."""
    text = re.sub(r"//.*", "", text)
    text = re.sub(r"(?:\[\])+(?:string|command\.Name)", "", text).replace("{", "[").replace("}", "]")
    text = re.sub(r"command\.(\w+)", lambda found: f'"{found[1].lower()}"', text)
    return ast.literal_eval(text.title() if text in {"true", "false"} else text)


CASES: Sequence[Case] = list(_cases())
"""All cases; none on a machine that can't fetch Atlantis' sources."""
