"""Reports variables that Atlantis would silently ignore, and explains why a server exited."""

import difflib
import re
import subprocess
from collections.abc import Collection, Mapping
from pathlib import Path

_PREFIX = "ATLANTIS_"
# The help of v0.47 omits the flags whose values are 64-bit integers.
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


def unknown_variables(environment: Mapping[str, str], known: Collection[str]) -> list[str]:
    """Report variables that Atlantis doesn't have, with the nearest that it has."""
    problems = []
    for name in sorted(environment):
        if not name.startswith(_PREFIX) or name in known:
            continue
        near = [_CONFUSED[name]] if name in _CONFUSED else difflib.get_close_matches(name, sorted(known), n=1)
        hint = f"; did you mean {near[0]}?" if near else ""
        problems.append(f"{name}: Atlantis doesn't have this variable and would ignore it silently{hint}")
    return problems


def explain_exit(last_words: str) -> str:
    """Return why the server exited: an explanation if its output matches a known error, otherwise its last error."""
    for pattern, explanation in _LAST_WORDS:
        if re.search(pattern, last_words):
            return explanation
    errors = [line.strip() for line in _without_colours(last_words).splitlines() if "rror" in line]
    said = errors[-1] if errors else (_without_colours(last_words).strip().splitlines() or ["nothing"])[-1]
    return f"Atlantis exited. Its output: {said}"


def _without_colours(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)
