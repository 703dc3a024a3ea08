"""Rules between settings.

A rule reads typed settings and yields a problem for each contradiction. A rule ends when it reads a setting whose own value
is invalid, so that each mistake is reported only once.
"""

from ..problem import Rule
from . import (
    arns,
    configuration,
    credentials,
    drift,
    existing,
    ingress,
    isolation,
    network,
    storage,
    task,
    terraform,
    vcs,
)

RULES_OF_VALUES: tuple[Rule, ...] = (
    *network.RULES,
    *ingress.RULES,
    *existing.RULES,
    *arns.RULES,
    *task.RULES,
    *credentials.RULES,
    *storage.RULES,
    *terraform.RULES,
    *vcs.RULES,
)
"""The rules that read no file. They apply to values of outputs too, when these become known; until then, they skip them."""

RULES: tuple[Rule, ...] = (
    *RULES_OF_VALUES,
    *configuration.RULES,
    *isolation.RULES,
    *drift.RULES,
    *vcs.RULES_WITH_FILES,
)
