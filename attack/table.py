"""The attack table: every row, grouped by where the attack comes from."""

from attack import names, other_accounts, page, plans, provider, roles, rules, webhooks
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
    *other_accounts.ROWS,
)
"""In the order in which they run. A new module of rows is added here."""
