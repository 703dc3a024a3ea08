"""The attack table: all rows, grouped by the source of the attack."""

from sandbox.attack import (
    api_secret,
    checkouts,
    comments,
    goals,
    isolation,
    left_behind,
    live_logs,
    localhost,
    names,
    other_accounts,
    page,
    plans,
    provider,
    roles,
    rules,
    states,
    webhooks,
)
from sandbox.attack.row import Row

ROWS: tuple[Row, ...] = (
    *plans.ROWS,
    *provider.ROWS,
    *isolation.ROWS,
    *states.ROWS,
    *left_behind.ROWS,
    *goals.ROWS,
    *localhost.ROWS,
    *names.ROWS,
    *checkouts.ROWS,
    *comments.ROWS,
    *rules.ROWS,
    *webhooks.ROWS,
    *page.ROWS,
    *api_secret.ROWS,
    *live_logs.ROWS,
    *roles.ROWS,
    *other_accounts.ROWS,
)
"""All rows in the order in which they run. Add new modules here."""
