"""The attack table: every row, grouped by where the attack comes from."""

from attack import names, page, plans, provider, roles, rules, webhooks
from attack.row import Row

__all__ = ["ROWS"]

ROWS: tuple[Row, ...] = (
    *plans.ROWS,
    *provider.ROWS,
    *names.ROWS,
    *rules.ROWS,
    *webhooks.ROWS,
    *page.ROWS,
    *roles.ROWS,
)
"""In the order in which they run. A new module of rows is added here."""
