"""The block `webhooks` of the server's configuration file: what the server sends to Slack or to a URL after an apply or drift.

Atlantis has no flag for it, so it can't be a variable of the environment, and a plan could change a file in the data directory: the
start of the container adds it to the configuration that the server reads (`compute/server_start.sh`).
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from .yaml_file import Finding, not_a_pattern, unknown_keys

BLOCK = "webhooks"
VARIABLE = "SERVER_NOTIFICATIONS"
"""The variable that hands the block to the start of the container, which removes it."""
SLACK_TOKEN = "slack-token"  # noqa: S105 - the name of a flag
_TARGETS = {"slack": "channel", "http": "url"}
"""What each kind is sent to."""
_EVENTS = ("apply", "drift")
_PATTERNS = ("workspace-regex", "branch-regex")
_KEYS = ("event", "kind", *_PATTERNS, *_TARGETS.values())


def problems(webhooks: Any) -> Iterator[Finding]:
    """What Atlantis would reject or ignore in the block, and what would never arrive from the task's network."""
    if not isinstance(webhooks, list):
        yield Finding(BLOCK, f"{BLOCK}: must be a list of mappings with event and kind")
        return
    for number, webhook in enumerate(webhooks):
        where = f"{BLOCK}[{number}]"
        if not isinstance(webhook, dict):
            yield Finding(where, f"{where}: must be a mapping with event and kind")
            continue
        yield from unknown_keys(f"{where}.", webhook, _KEYS)
        for key, reason in _refused(webhook):
            yield Finding(f"{where}.{key}", f"{where}.{key}{_shown(key, webhook)}: {reason}")


def _shown(key: str, webhook: Mapping[str, Any]) -> str:
    # A URL can contain a credential.
    return f" = {webhook[key]!r}" if webhook.get(key) not in (None, "") and key != "url" else ""


def _refused(webhook: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The key and the reason of each problem of one webhook."""
    for key, accepted in (("event", _EVENTS), ("kind", tuple(_TARGETS))):
        if webhook.get(key) not in accepted:
            yield key, f"must be {' or '.join(accepted)}"
    for key in _PATTERNS:
        pattern = webhook.get(key)
        if pattern is None:
            continue
        if not isinstance(pattern, str):
            yield key, "must be a regular expression in quotes"
        elif reason := not_a_pattern(pattern):
            yield key, f"is not a regular expression: {reason}"
        elif pattern and webhook.get("event") == "drift":
            yield key, "Atlantis doesn't use it for drift, and would send every result; remove it"
    target = _TARGETS.get(str(webhook.get("kind")))
    if target is None:
        return
    value = webhook.get(target)
    if not isinstance(value, str) or not value:
        yield target, f"missing; kind {webhook['kind']} requires it"
    elif target == "url" and (reason := _not_a_target(value)):
        yield target, reason


def _not_a_target(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "is not a URL"
    if parts.username or parts.password or parts.query:
        return (
            "must have no user, password or query, because everyone who may read the task definition can read it; put a credential "
            "into a header: name a secret with webhook-http-headers in serverSecrets"
        )
    if re.fullmatch(r"localhost|127\.0\.0\.1", parts.hostname or "") and parts.scheme in ("http", "https"):
        return None
    if parts.scheme != "https" or not parts.hostname or port not in (None, 443):
        return "must be https:// on port 443, the only one that the task's security group opens, or a port of localhost"
    return None


def kinds(webhooks: Any) -> set[str]:
    """The kinds of the webhooks, such as slack."""
    return {str(webhook.get("kind")) for webhook in _mappings(webhooks)}


def events(webhooks: Any) -> set[str]:
    """The events of the webhooks, such as drift."""
    return {str(webhook.get("event")) for webhook in _mappings(webhooks)}


def _mappings(webhooks: Any) -> Sequence[Mapping[str, Any]]:
    return [webhook for webhook in webhooks if isinstance(webhook, dict)] if isinstance(webhooks, list) else []


def fragment(webhooks: Sequence[Mapping[str, Any]]) -> str:
    """The block as one line of YAML, to be added to other keys of the configuration."""
    return f"{json.dumps(BLOCK)}: {json.dumps(list(webhooks))}"
