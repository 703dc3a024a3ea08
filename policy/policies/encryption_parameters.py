"""encryption, in transit: the parameters of databases that decide whether connections without TLS are accepted."""

import re
from typing import Any, Final, NamedTuple

from evaluation.resources import Resource
from evaluation.rule import Findings, ResourceCheck
from evaluation.values import UNKNOWN, integer, mappings, text

_CHECK: Final = "store-transit"


class _Parameter(NamedTuple):
    """A parameter of the families that match a pattern. accepted: the values that require TLS, in lower case.

    default: the families in which AWS requires TLS without the parameter, as a pattern.
    """

    families: str
    name: str
    accepted: tuple[str, ...]
    default: str = "(?!)"


_ON: Final = ("1", "on", "true")
# Sources: "Requiring an SSL/TLS connection" and "SSL/TLS support" of each engine in the Amazon RDS and Aurora user guides,
# "Connecting with TLS" in those of Neptune and DocumentDB, "Configuring security options" in that of Redshift.
_RDS: Final = (
    _Parameter("postgres.*", "rds.force_ssl", _ON, default=r"postgres(1[5-9]|[2-9]\d)"),
    _Parameter("aurora-postgresql.*", "rds.force_ssl", _ON, default=r"aurora-postgresql(1[7-9]|[2-9]\d)"),
    _Parameter("sqlserver.*", "rds.force_ssl", _ON),
    _Parameter("(mysql|aurora-mysql).*", "require_secure_transport", _ON),
    _Parameter("mariadb.*", "require_secure_transport", _ON, default=r"mariadb11\.8|mariadb(1[2-9]).*"),
)
_PARAMETERS: Final[dict[str, tuple[_Parameter, ...]]] = {
    "rds/parameterGroup": _RDS,
    "rds/clusterParameterGroup": _RDS,
    "neptune/clusterParameterGroup": (_Parameter(".*", "neptune_enforce_ssl", _ON, default=".*"),),
    "docdb/clusterParameterGroup": (
        _Parameter(".*", "tls", ("enabled", "tls1.2+", "tls1.3+", "fips-140-3"), default=".*"),
    ),
    # Since January 10, 2025, new clusters use redshift-2.0, whose require_ssl is true.
    "redshift/parameterGroup": (_Parameter(".*", "require_ssl", ("true",), default=r"redshift-(?!1\.0).*"),),
}
# A group without the parameter accepts connections without TLS, and is a finding, only where AWS' own control says so.
_STRICT: Final = ("redshift/parameterGroup",)
PARAMETER_TYPES: Final = tuple(canonical for canonical in _PARAMETERS if canonical not in _STRICT)


def _of(group: Resource) -> list[_Parameter]:
    family = text(group.at("family")) or ""
    return [each for each in _PARAMETERS[group.type] if re.fullmatch(each.families, family)]


def _check(group: Resource, findings: Findings) -> None:
    for parameter in _of(group):
        values = [
            each.get("value") for _, each in mappings(group.at("parameters")) if each.get("name") == parameter.name
        ]
        if group.at("parameters") is UNKNOWN or UNKNOWN in values:
            findings.not_evaluated(group, _CHECK, "parameters")
        elif (values and not any(_written(value) in parameter.accepted for value in values)) or (
            not values and group.type in _STRICT and not _required_by_default(group, parameter)
        ):
            _report(group, parameter, findings)


def _written(value: Any) -> str:
    """A value as text; the SDK passes the number 1 as 1.0."""
    number = integer(value)
    return str(value).lower() if number is None else str(number)


def _report(group: Resource, parameter: _Parameter, findings: Findings) -> None:
    what = f"the parameter {parameter.name} doesn't require TLS, so clusters accept connections without it"
    remedy = f"set the parameter {parameter.name} to {parameter.accepted[0]}"
    findings.violation(group, _CHECK, "parameters", what, remedy, value=parameter.name)


def _required_by_default(group: Resource, parameter: _Parameter) -> bool:
    return re.fullmatch(parameter.default, text(group.at("family")) or "") is not None


def accepts_plain_by_default(group: Resource) -> str | None:
    """The parameter that a group doesn't have, and without which its engine accepts connections without TLS."""
    if group.at("parameters") is UNKNOWN:
        return None
    named = {text(each.get("name")) for _, each in mappings(group.at("parameters"))}
    absent = [each for each in _of(group) if each.name not in named and not _required_by_default(group, each)]
    return absent[0].name if absent else None


PARAMETER_CHECKS: Final[dict[str, tuple[ResourceCheck, ...]]] = dict.fromkeys(_PARAMETERS, (_check,))
