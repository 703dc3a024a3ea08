"""The attack table: every row, grouped by where the attack comes from."""

from attack import roles, webhooks
from attack.row import Row

__all__ = ["ROWS"]

ROWS: tuple[Row, ...] = (*webhooks.ROWS, *roles.ROWS)
"""In the order in which they run. A new module of rows is added here."""
