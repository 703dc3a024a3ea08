"""Which command runs on which worker, and which one waits: the rules, without the sockets.

A ticket is a command from its start to its end. It has a place on a worker from the moment in which it is granted one.
"""

import hashlib
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

_REST = 5.0
"""Seconds without new commands for a worker that has refused one, or hasn't answered."""
_CONTINUES = 120.0
"""Seconds after the end of a checkout's command in which its next one goes first: `plan` follows `init`."""
_STAYS = 20.0
"""Seconds that such a command waits for the worker that has its copy, before it takes another one, which has to make it."""
_REMEMBERED = 10_000


@dataclass(eq=False)
class Ticket:
    """A command that waits or runs."""

    name: str
    role: str
    checkout: str
    arrived: float
    granted: bool = False
    worker: str | None = None
    """Where it runs; None while it waits, or waits for another worker."""
    tried: set[str] = field(default_factory=set)
    """Workers that have refused it, or ended under it."""
    failed_at: float | None = None
    """When the first of them did."""


class Places:
    """The workers of each kind and the commands on them.

    Args:
        commands: by role, how many run on one worker.
        now: the clock.
    """

    def __init__(self, commands: Mapping[str, int], now: Callable[[], float] = time.monotonic) -> None:
        self.commands, self._now = commands, now
        self.workers: dict[str, dict[str, str]] = {role: {} for role in commands}
        """By role, the address of each healthy worker by its ID."""
        self.ended: Counter[str] = Counter()
        """By role, how many workers went away since the last line of the log."""
        self._tickets: dict[str, list[Ticket]] = {role: [] for role in commands}
        self._rests_until: dict[str, float] = {}
        # Where the last command of a checkout ran, and when it ended.
        self._last: dict[tuple[str, str], tuple[str, float]] = {}

    def add(self, ticket: Ticket) -> None:
        """A command has arrived."""
        self._tickets[ticket.role].append(ticket)

    def remove(self, ticket: Ticket) -> None:
        """A command has ended, or waits no longer."""
        self._tickets[ticket.role].remove(ticket)
        if ticket.worker:
            key = ticket.role, ticket.checkout
            self._last.pop(key, None)
            self._last[key] = ticket.worker, self._now()
            if len(self._last) > _REMEMBERED:
                del self._last[next(iter(self._last))]

    def refused(self, ticket: Ticket, worker: str) -> None:
        """A worker didn't take the command, or ended under it; it waits for another one."""
        self._rests_until[worker] = self._now() + _REST
        ticket.tried.add(worker)
        ticket.worker = None
        ticket.failed_at = ticket.failed_at or self._now()

    def grant(self, role: str) -> list[Ticket]:
        """Give free places to waiting commands, and return those that have one now.

        Those that had a place go first, then those of a checkout whose last command has just ended, then all others as they came.
        """
        busy = self._busy(role)
        resting = {worker for worker, until in self._rests_until.items() if until > self._now()}
        free = {worker: self.commands[role] - busy[worker] for worker in self.workers[role].keys() - resting}
        found: list[Ticket] = []
        left = sum(max(0, places) for places in free.values())
        if not left:
            return found
        for ticket in sorted(
            self.waiting(role), key=lambda each: (not each.granted, not self._goes_on(each), each.arrived)
        ):
            if len(found) == left:
                break
            if worker := self._chosen(ticket, free):
                ticket.worker, ticket.granted = worker, True
                free[worker] -= 1
                found.append(ticket)
        return found

    def waiting(self, role: str) -> list[Ticket]:
        """The commands without a worker, in the order of their arrival."""
        return [ticket for ticket in self._tickets[role] if ticket.worker is None]

    def state(self, role: str) -> dict[str, int | float]:
        """Figures for the log."""
        waiting, workers = self.waiting(role), self.workers[role]
        busy = self._busy(role)
        # Those of a worker that isn't healthy any more run as well, but take no place of another one.
        slots, taken = len(workers) * self.commands[role], sum(busy[worker] for worker in workers)
        longest = max((self._now() - ticket.arrived for ticket in waiting), default=0)
        return {
            "healthy": len(workers),
            "slots": slots,
            "busy": taken,
            # Waiting commands ask for more workers, also if there is none: the service scales with this figure.
            "busy_percent": round(100 * (taken + len(waiting)) / slots, 1) if slots else 100.0 * bool(waiting),
            "waiting": len(waiting),
            "longest_wait_seconds": round(longest),
        }

    def _busy(self, role: str) -> Counter[str | None]:
        return Counter(ticket.worker for ticket in self._tickets[role])

    def _goes_on(self, ticket: Ticket) -> bool:
        _, ended = self._last.get((ticket.role, ticket.checkout), ("", -_CONTINUES))
        return self._now() - ended < _CONTINUES

    def _chosen(self, ticket: Ticket, free: Mapping[str, int]) -> str | None:
        """The worker that has the checkout's copy, or the first one with a place in an order that only the checkout decides."""
        known = self.workers[ticket.role]
        # One that was tried is tried again if there is no other one: it may have been full for a moment.
        allowed = known.keys() - ticket.tried or known.keys()
        last, _ = self._last.get((ticket.role, ticket.checkout), ("", 0.0))
        if last in allowed:
            if free.get(last, 0) > 0:
                return last
            if self._goes_on(ticket) and self._now() - ticket.arrived < _STAYS:
                return None
        candidates = [worker for worker in allowed if free.get(worker, 0) > 0]
        return max(candidates, key=lambda worker: _weight(worker, ticket.checkout), default=None)


def _weight(worker: str, checkout: str) -> bytes:
    """Rendezvous hashing: when workers come and go, only their own checkouts move."""
    return hashlib.sha256(f"{worker} {checkout}".encode()).digest()
