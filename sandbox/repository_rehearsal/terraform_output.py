"""What Terraform printed: the resources of a plan, what was done with each, what changes in it, and its errors."""

import re
from collections.abc import Mapping

_PLANNED = re.compile(
    r"^\s*# (?P<address>\S.*?)(?: \([^)]*\))? (?:will|must) be (?P<action>[^\n(]+?)(?: \(.*)?$", re.MULTILINE
)
_CHANGED = re.compile(r'^\s*[-+~/]+\s+"?(?P<name>[\w.-]+)"?\s*[={]', re.MULTILINE)
_DONE = re.compile(r"^(?P<address>\S.*?): (?P<what>Creation|Modifications|Destruction) complete after", re.MULTILINE)
_READ = re.compile(r"^(?P<address>\S.*?): Read complete after", re.MULTILINE)
_ERROR = re.compile(r"^\W*Error: (?P<text>.+)$", re.MULTILINE)
_PREFIX = re.compile(r"^\d\d:\d\d:\d\d\.\d{3} [A-Z]+ +(?:\[[^\]\n]*\] )?(?:terraform|tofu): ?", re.MULTILINE)
"""What Terragrunt writes before each line, such as ``18:26:12.913 STDOUT tofu: ``."""
_WORDS = {"Creation": "created", "Modifications": "updated in-place", "Destruction": "destroyed"}


def without_prefixes(text: str) -> str:
    """The lines of Terraform or OpenTofu as they are without Terragrunt."""
    return _PREFIX.sub("", text)


def planned(text: str) -> Mapping[str, str]:
    """The action of a plan on each resource by its address, such as ``created``, without data sources.

    Terraform also prints the part of a failed plan that it made before the error.
    """
    found = ((item["address"], item["action"]) for item in _PLANNED.finditer(text))
    return {address: action for address, action in found if not action.startswith("read ")}


def type_of(address: str) -> str:
    """The type in a resource's address, which can be in modules and have a key."""
    found = re.search(r"(?:^|\.)([a-z0-9]+_\w+)\.\w[\w-]*(?:\[.*\])?$", address)
    return found[1] if found else ""


def changes(text: str) -> Mapping[str, frozenset[str]]:
    """The names of the attributes and blocks that a plan changes, at any depth, by the resource's address."""
    headers = list(_PLANNED.finditer(text))
    ends = [*(header.start() for header in headers[1:]), len(text)]
    return {
        header["address"]: frozenset(item["name"] for item in _CHANGED.finditer(text, header.end(), end))
        for header, end in zip(headers, ends, strict=False)
    }


def done(text: str) -> Mapping[str, str]:
    """What an apply did with each resource by its address, in the words of `planned`."""
    return {item["address"]: _WORDS[item["what"]] for item in _DONE.finditer(text)}


def was_read(text: str) -> list[str]:
    """The addresses of the data sources that were read."""
    return list(dict.fromkeys(item["address"] for item in _READ.finditer(text)))


def errors(text: str) -> list[str]:
    """The first line of each error."""
    return list(dict.fromkeys(item["text"].strip() for item in _ERROR.finditer(text)))


def last_line(text: str) -> str:
    """The last line of a comment that isn't markup: what a program without Terraform's form of errors says."""
    lines = [line.strip() for line in text.splitlines()]
    return next((line for line in reversed(lines) if line and not line.startswith(("```", "<", "* :", "---"))), "")
