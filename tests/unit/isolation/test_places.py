"""Which worker runs a command: spread, affinity, order, and 500 pull requests at once in a simulated hour."""

import heapq
import itertools
from collections import Counter

from isolation.places import Places, Ticket


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def places(workers: int, commands: int = 4) -> tuple[Places, Clock]:
    clock = Clock()
    made = Places({"plan": commands}, clock)
    made.workers["plan"] = {f"w{number}": f"10.0.0.{number}:4142" for number in range(workers)}
    return made, clock


NUMBERS = itertools.count()


def ticket(made: Places, clock: Clock, checkout: str) -> Ticket:
    found = Ticket(f"plan.{next(NUMBERS)}", "plan", checkout, clock())
    made.add(found)
    return found


def test_new_checkouts_are_spread_and_the_next_command_meets_its_copy() -> None:
    made, clock = places(4, commands=100)
    first = [ticket(made, clock, f"o/r/{number}/default") for number in range(200)]
    assert len(made.grant("plan")) == 200
    spread = Counter(each.worker for each in first)
    assert len(spread) == 4
    assert min(spread.values()) > 25
    for each in first:
        made.remove(each)
    second = [ticket(made, clock, each.checkout) for each in first]
    made.grant("plan")
    assert [each.worker for each in second] == [each.worker for each in first]


def test_a_checkout_stays_with_its_worker_for_a_while_and_then_takes_another_one() -> None:
    made, clock = places(2, commands=1)
    init = ticket(made, clock, "o/r/1/default")
    made.grant("plan")
    made.remove(init)
    # Others take both workers.
    others = [ticket(made, clock, f"o/r/{number}/default") for number in (2, 3)]
    assert made.grant("plan") == others
    plan, late = ticket(made, clock, "o/r/1/default"), ticket(made, clock, "o/r/4/default")
    assert made.grant("plan") == []
    (elsewhere,) = [each for each in others if each.worker != init.worker]
    made.remove(elsewhere)
    # The plan waits for its copy, and nobody waits for the plan.
    assert made.grant("plan") == [late]
    clock.now += 30
    made.remove(late)
    assert made.grant("plan") == [plan]
    assert plan.worker == elsewhere.worker


def test_a_worker_that_refused_rests_and_is_tried_again_if_there_is_no_other_one() -> None:
    made, clock = places(1, commands=2)
    found = ticket(made, clock, "o/r/1/default")
    made.grant("plan")
    made.refused(found, "w0")
    assert made.grant("plan") == []
    clock.now += 6
    assert made.grant("plan") == [found]
    made.workers["plan"]["w1"] = "10.0.0.1:4142"
    made.refused(found, "w0")
    assert made.grant("plan") == [found]
    assert found.worker == "w1"


def test_figures_count_only_healthy_workers_and_ask_for_one_when_there_is_none() -> None:
    made, clock = places(2, commands=2)
    for number in range(5):
        ticket(made, clock, f"o/r/{number}/default")
    made.grant("plan")
    clock.now += 7
    full = {"healthy": 2, "slots": 4, "busy": 4, "busy_percent": 125.0, "waiting": 1, "longest_wait_seconds": 7}
    assert made.state("plan") == full
    made.workers["plan"].clear()
    assert made.state("plan")["busy_percent"] == 100.0
    assert Places({"plan": 1}).state("plan")["busy_percent"] == 0.0


def simulated(workers: int, pulls: int) -> tuple[float, int, Counter[str]]:
    """Plan pull requests that come at once: `init` takes 8 s, 4 s more on another worker than before, `plan` 12 s, `show` 1 s.

    Returns:
        the seconds until the last one, how many commands had no copy, and the commands of each worker.
    """
    made, clock = places(workers)
    commands = {"init": ("plan", 8.0), "plan": ("show", 12.0), "show": ("", 1.0)}
    running: list[tuple[float, int, Ticket, str]] = []
    kinds: dict[str, str] = {}
    copies: dict[str, str] = {}
    moved, ran = 0, Counter[str]()
    for number in range(pulls):
        kinds[ticket(made, clock, f"o/r/{number}/default").name] = "init"
    while True:
        for granted in made.grant("plan"):
            assert granted.worker
            kind = kinds[granted.name]
            seconds = commands[kind][1]
            if kind != "init" and copies[granted.checkout] != granted.worker:
                seconds, moved = seconds + 4, moved + 1
            copies[granted.checkout] = granted.worker
            ran[granted.worker] += 1
            heapq.heappush(running, (clock() + seconds, next(NUMBERS), granted, kind))
        assert made.state("plan")["busy"] == len(running) <= 4 * workers
        if not running:
            assert made.waiting("plan") == []
            return clock() - 1000, moved, ran
        clock.now, _, done, kind = heapq.heappop(running)
        made.remove(done)
        if following := commands[kind][0]:
            kinds[ticket(made, clock, done.checkout).name] = following


def test_500_pull_requests_at_once_lose_nothing_and_more_workers_make_them_shorter() -> None:
    four, moved, ran = simulated(4, 500)
    assert sum(ran.values()) == 1500
    assert len(ran) == 4
    assert min(ran.values()) > 0.8 * 1500 / 4
    # 21 s of work for each, 16 at once; copies are made again for few.
    assert four < 1.15 * 500 * 21 / 16
    assert moved < 0.05 * 1500
    eight, _, _ = simulated(8, 500)
    assert eight < 0.6 * four
