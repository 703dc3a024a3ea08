"""The blocks of the server-side repository configuration other than repositories and workflows: policies, metrics, teams, stores.

Source: server/core/config/raw of Atlantis, in the version of `server_configuration.VERSION`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from .yaml_file import Finding, not_a_pattern, text_of, unknown_keys

_OWNERS: Final = {"users": [str], "teams": [str]}
SHAPES: Final[Mapping[str, Any]] = {
    "policies": {
        "conftest_version": str,
        "owners": _OWNERS,
        "policy_sets": [
            {
                "path": str,
                "source": str,
                "name": str,
                "owners": _OWNERS,
                "approve_count": int,
                "sticky_policy_approvals": bool,
                "policy_item_regex": str,
                "prevent_self_approve": bool,
            }
        ],
        "sticky_policy_approvals": bool,
        "policy_item_regex": str,
        "approve_count": int,
    },
    "metrics": {"statsd": {"host": str, "port": str}, "prometheus": {"endpoint": str}},
    "team_authz": {"command": str, "args": [str]},
    "external_stores": {
        "plan_store": {
            "type": str,
            "s3": {
                "bucket": str,
                "region": str,
                "prefix": str,
                "endpoint": str,
                "force_path_style": bool,
                "profile": str,
            },
        }
    },
}
"""The type of each value: a scalar type, a list with the shape of its items, or a mapping with the shapes of its values."""

_SCALARS: Final = {str: ((str, int, float), "a string"), bool: (bool, "true or false"), int: (int, "an integer")}
_SOURCES = ("local", "github")
_VERSION = re.compile(r"v?\d+(\.\d+)*(-?[0-9A-Za-z.~-]+)?(\+[0-9A-Za-z.~-]+)?")


def problems(content: Mapping[str, Any]) -> Iterator[Finding]:
    """What Atlantis would reject in these blocks, or use otherwise than the file says."""
    found = [finding for name, shape in SHAPES.items() for finding in _typed(name, content.get(name), shape)]
    yield from found
    if not found:
        repos = content.get("repos")
        own_check = any(
            isinstance(repo, dict) and repo.get("custom_policy_check") is True
            for repo in (repos if isinstance(repos, list) else ())
        )
        yield from _policies(content.get("policies") or {}, ("name",) if own_check else ("name", "path"))
        yield from _metrics(content.get("metrics") or {})
        yield from _plan_store((content.get("external_stores") or {}).get("plan_store") or {})


def _typed(where: str, value: Any, shape: Any) -> Iterator[Finding]:
    if value is None:
        return
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            yield Finding(where, f"{where}: must be a mapping with {', '.join(shape)}")
            return
        yield from unknown_keys(f"{where}.", value, shape, "refuses the file (field not found)")
        for key, inner in shape.items():
            yield from _typed(f"{where}.{key}", value.get(key), inner)
    elif isinstance(shape, list):
        if not isinstance(value, list):
            yield Finding(where, f"{where} = {value!r}: must be a list")
            return
        for number, item in enumerate(value):
            yield from _typed(f"{where}[{number}]", item, shape[0])
    else:
        types, accepted = _SCALARS[shape]
        if not isinstance(value, types) or (shape is int and isinstance(value, bool)):
            yield Finding(where, f"{where} = {value!r}: must be {accepted}")


def _policies(policies: Mapping[str, Any], needed: Iterable[str]) -> Iterator[Finding]:
    version = policies.get("conftest_version")
    if version is not None and not _VERSION.fullmatch(text_of(version)):
        yield Finding(
            "policies.conftest_version",
            f"policies.conftest_version = {version!r}: must be a version such as 0.60.0; Atlantis would use another one",
        )
    yield from _item_pattern("policies", policies)
    for number, policy_set in enumerate(policies.get("policy_sets") or []):
        where = f"policies.policy_sets[{number}]"
        for key in needed:
            if not (policy_set or {}).get(key):
                yield Finding(where, f"{where}.{key}: missing; Atlantis would check nothing with this policy set")
        if (source := (policy_set or {}).get("source")) and source not in _SOURCES:
            yield Finding(f"{where}.source", f"{where}.source = {source!r}: must be {' or '.join(_SOURCES)}")
        yield from _item_pattern(where, policy_set or {})


def _item_pattern(where: str, holder: Mapping[str, Any]) -> Iterator[Finding]:
    pattern = holder.get("policy_item_regex")
    if pattern is not None and (reason := not_a_pattern(text_of(pattern))):
        where = f"{where}.policy_item_regex"
        yield Finding(where, f"{where} = {pattern!r}: is not a regular expression: {reason}")


def _metrics(metrics: Mapping[str, Any]) -> Iterator[Finding]:
    statsd, prometheus = metrics.get("statsd"), metrics.get("prometheus")
    if statsd is not None:
        for key in ("host", "port"):
            if not statsd.get(key):
                yield Finding("metrics.statsd", f"metrics.statsd.{key}: missing; statsd requires host and port")
        if (port := statsd.get("port")) and not re.fullmatch(r"\d{1,5}", text_of(port)):
            yield Finding("metrics.statsd.port", f"metrics.statsd.port = {port!r}: must be an integer")
        if (host := statsd.get("host")) and not re.fullmatch(r"[\w.:-]+", text_of(host), re.ASCII):
            yield Finding(
                "metrics.statsd.host", f"metrics.statsd.host = {host!r}: must be a host name or an IP address"
            )
    if prometheus is not None and not prometheus.get("endpoint"):
        yield Finding("metrics.prometheus", "metrics.prometheus.endpoint: missing; must be a path such as /metrics")


def _plan_store(store: Mapping[str, Any]) -> Iterator[Finding]:
    kind, where = store.get("type"), "external_stores.plan_store"
    if kind and kind != "s3":
        yield Finding(f"{where}.type", f"{where}.type = {kind!r}: must be s3")
    if not kind and store.get("s3"):
        yield Finding(
            where, f"{where}.type: missing; without type: s3, Atlantis would keep plans in its data directory"
        )
    for key in ("bucket", "region") if kind == "s3" else ():
        if not (store.get("s3") or {}).get(key):
            yield Finding(where, f"{where}.s3.{key}: missing; type s3 requires it")


def unreachable(content: Mapping[str, Any]) -> Iterator[Finding]:
    """What the server would send to a host that the task's security group doesn't let it reach."""
    statsd = (content.get("metrics") or {}).get("statsd") or {}
    if (host := statsd.get("host")) and host not in ("localhost", "127.0.0.1"):
        yield Finding(
            "metrics.statsd.host",
            f"metrics.statsd.host = {host!r}: the task's security group opens HTTPS only, so no metric reaches this host",
        )


def with_strings(content: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration with strings where Atlantis has strings: its parser for JSON takes no number there, that for YAML does."""
    return dict(content) | {
        name: _with_strings(content[name], shape) for name, shape in SHAPES.items() if name in content
    }


def _with_strings(value: Any, shape: Any) -> Any:
    if isinstance(shape, dict) and isinstance(value, dict):
        return {key: _with_strings(inner, shape.get(key)) for key, inner in value.items()}
    if isinstance(shape, list) and isinstance(value, list):
        return [_with_strings(item, shape[0]) for item in value]
    return text_of(value) if shape is str and value is not None else value
