"""Reports problems in a task's environment before Atlantis ignores them or fails because of them.

Atlantis silently ignores an unknown ``ATLANTIS_`` variable, so a misspelt setting has no effect. It also ignores an
unknown key of the server-side repository configuration, so a typo there disables a safeguard.
"""

import difflib
import json
import re
import subprocess
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from components.configuration.repo_configuration_schema import REPO_KEYS, TOP_KEYS
from components.configuration.server_configuration import variable
from components.configuration.vcs import KINDS
from preflight.secrets import private_key_problem

_PREFIX = "ATLANTIS_"
# The help of v0.47 omits the flags whose values are 64-bit integers.
_USERS = {variable(kind.user_flag): variable(kind.webhook_flag) for kind in KINDS.values() if kind.user_flag}
"""The variables with the user of a host other than GitHub, or of GitHub without an App, and with the secret of its events."""
_NOT_IN_HELP = frozenset({"ATLANTIS_GH_APP_ID", "ATLANTIS_GH_APP_INSTALLATION_ID"})
# Incorrect variable names from documentation and configurations, with the correct ones.
_CONFUSED = {
    "ATLANTIS_GH_INSTALLATION_ID": "ATLANTIS_GH_APP_INSTALLATION_ID",
    "ATLANTIS_URL": "ATLANTIS_ATLANTIS_URL",
}
_FLAG = re.compile(r"^ +--([a-z0-9-]+)", re.MULTILINE)
# Atlantis' errors when it fails to start (v0.47.1), each with its cause and fix.
_LAST_WORDS = (
    (
        r"starting BoltDB: timeout",
        "another Atlantis server has locked the data directory, which only one server at a time can use: stop the other one, "
        "or wait until it has ended",
    ),
    (
        r"not found in \$PATH\. Set --default-tf-version",
        "the image has no terraform: put one on PATH, or set ATLANTIS_DEFAULT_TF_VERSION",
    ),
    (
        r"access_tokens.*(401|Bad credentials)",
        "GitHub rejects the App's credentials: private_key isn't a key of the App app_id, or it was revoked",
    ),
    (
        r"access_tokens.*(404|Not Found)",
        "the App has no such installation in GitHub: check installation_id in the App's secret",
    ),
    (
        r"failed to connect to redis",
        "the task can't connect to the locking database: check its password, TLS and address in the task definition",
    ),
    (r"address already in use", "another process uses the port"),
    (
        r"permission denied|read-only file system",
        "the task's user can't write to the data directory: check the access point's uid, gid and permissions",
    ),
    (r"no space left on device", "the disk is full: free some space and start again"),
)


def known_variables(executable: Path) -> frozenset[str]:
    """Return the variables that this server reads, taken from its ``server --help``."""
    shown = subprocess.run([executable, "server", "--help"], env={}, capture_output=True, text=True, check=True)
    return _NOT_IN_HELP | frozenset(_PREFIX + flag.upper().replace("-", "_") for flag in _FLAG.findall(shown.stdout))


def environment_problems(environment: Mapping[str, str], known: Collection[str]) -> list[str]:
    """Find all problems of the variables that a task definition sets; values that may be secret are omitted."""
    return [
        *_unknown_names(environment, known),
        *(() if any(environment.get(variable) for variable in _USERS) else _app(environment)),
        *_webhook(environment),
        *_allowlist(environment.get("ATLANTIS_REPO_ALLOWLIST", "")),
        *_url(environment.get("ATLANTIS_ATLANTIS_URL", "")),
        *_repo_config(environment),
    ]


def explain_exit(last_words: str) -> str:
    """Return why the server exited: an explanation if its output matches a known error, otherwise its last error."""
    for pattern, explanation in _LAST_WORDS:
        if re.search(pattern, last_words):
            return explanation
    errors = [line.strip() for line in _without_colours(last_words).splitlines() if "rror" in line]
    said = errors[-1] if errors else (_without_colours(last_words).strip().splitlines() or ["nothing"])[-1]
    return f"Atlantis exited. Its output: {said}"


def _unknown_names(environment: Mapping[str, str], known: Collection[str]) -> list[str]:
    problems = []
    for name in sorted(environment):
        if not name.startswith(_PREFIX) or name in known:
            continue
        near = [_CONFUSED[name]] if name in _CONFUSED else difflib.get_close_matches(name, sorted(known), n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        problems.append(f"{name}: Atlantis doesn't have this variable and would ignore it silently{hint}")
    return problems


def _app(environment: Mapping[str, str]) -> list[str]:
    problems = []
    for name, part in (("ATLANTIS_GH_APP_ID", "id"), ("ATLANTIS_GH_APP_INSTALLATION_ID", "installation id")):
        value = environment.get(name)
        if not value:
            problems.append(f"{name} is not set: Atlantis can't act as the GitHub App without its {part}")
        elif not value.isdecimal():
            problems.append(f"{name} must be the App's {part}, digits only; the secret contains something else")
    has_key, has_file = bool(environment.get("ATLANTIS_GH_APP_KEY")), bool(environment.get("ATLANTIS_GH_APP_KEY_FILE"))
    if has_key and has_file:
        problems.append(
            "ATLANTIS_GH_APP_KEY and ATLANTIS_GH_APP_KEY_FILE are both set; Atlantis accepts only one of them"
        )
    if not has_key and not has_file:
        problems.append("ATLANTIS_GH_APP_KEY is not set: Atlantis can't act as the GitHub App without its private key")
    if has_key:
        problems += _private_key(environment["ATLANTIS_GH_APP_KEY"])
    if environment.get("ATLANTIS_WRITE_GIT_CREDS") != "true":
        problems.append("ATLANTIS_WRITE_GIT_CREDS must be true with a GitHub App, or Atlantis can't clone")
    return problems


def _private_key(text: str) -> list[str]:
    problem = private_key_problem(text)
    way_out = "store the .pem file from GitHub in the secret, with a tool that writes JSON, such as jq --rawfile"
    return [f"ATLANTIS_GH_APP_KEY {problem}; {way_out}"] if problem else []


def _webhook(environment: Mapping[str, str]) -> list[str]:
    kinds = (secret for user, secret in _USERS.items() if environment.get(user))
    secret = next(kinds, "ATLANTIS_GH_WEBHOOK_SECRET")
    return [] if environment.get(secret) else [f"{secret} is not set: Atlantis would start, but accept forged events"]


def _allowlist(allowlist: str) -> list[str]:
    if not allowlist:
        return ["ATLANTIS_REPO_ALLOWLIST is not set: Atlantis refuses to start without it"]
    if "://" in allowlist:
        return [f"ATLANTIS_REPO_ALLOWLIST {allowlist!r} has a scheme; use the format host/owner/repository"]
    return []


def _url(url: str) -> list[str]:
    if not url:
        return ["ATLANTIS_ATLANTIS_URL is not set: the links in comments would have the task's own host name"]
    if urlsplit(url).scheme not in {"http", "https"} or not urlsplit(url).hostname:
        return [f"ATLANTIS_ATLANTIS_URL {url!r} isn't a URL with scheme and host, such as https://atlantis.example.com"]
    return []


def _repo_config(environment: Mapping[str, str]) -> list[str]:
    text = environment.get("ATLANTIS_REPO_CONFIG_JSON")
    if not text:
        return []
    if environment.get("ATLANTIS_REPO_CONFIG"):
        return ["ATLANTIS_REPO_CONFIG and ATLANTIS_REPO_CONFIG_JSON are both set; Atlantis accepts only one of them"]
    try:
        config = json.loads(text)
    except ValueError as error:
        return [f"ATLANTIS_REPO_CONFIG_JSON isn't valid JSON: {error}"]
    if not isinstance(config, dict):
        return ["ATLANTIS_REPO_CONFIG_JSON must be a JSON object"]
    problems = _unknown_keys("", config, TOP_KEYS)
    for index, repository in enumerate(config.get("repos", [])):
        if not isinstance(repository, dict):
            problems.append(f"ATLANTIS_REPO_CONFIG_JSON: repos[{index}] must be an object")
            continue
        problems += _unknown_keys(f"repos[{index}].", repository, REPO_KEYS)
    return problems


def _unknown_keys(where: str, found: Mapping[str, Any], known: Collection[str]) -> list[str]:
    return [
        f"ATLANTIS_REPO_CONFIG_JSON: {where}{key} isn't a valid key; Atlantis would ignore it silently"
        for key in sorted(found)
        if key not in known
    ]


def _without_colours(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)
