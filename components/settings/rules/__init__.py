"""Rules between settings.

A rule reads typed settings and yields a problem for each contradiction. A rule that reads a setting whose own value was
refused ends there: a mistake is reported once.
"""

from ..problem import Rule
from . import arns, configuration, credentials, ingress, network, storage, task, terraform

__all__ = ["RULES"]

RULES: tuple[Rule, ...] = (
    *network.RULES,
    *ingress.RULES,
    *arns.RULES,
    *task.RULES,
    *credentials.RULES,
    *storage.RULES,
    *terraform.RULES,
    *configuration.RULES,
)
