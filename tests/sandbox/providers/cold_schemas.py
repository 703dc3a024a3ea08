"""Loads schemas with an empty cache in several threads at once, as the engine's first calls do: `... CACHE_FOLDER`."""

import sys
import threading
from collections.abc import Callable
from pathlib import Path

from sandbox.testbed.providers import passwords, schema
from sandbox.testbed.providers.aws import package
from sandbox.testbed.providers.package import Package

CALLERS: tuple[Callable[[], Package], ...] = (package.AwsPackage, package.AwsPackage, passwords.RandomPackage)


def main() -> None:
    """Print how many schemas each caller got; end with exit code 1 where one got none."""
    schema.FOLDER = Path(sys.argv[1])
    together = threading.Barrier(len(CALLERS))
    counts: list[int] = []

    def load(make: Callable[[], Package]) -> None:
        together.wait()
        counts.append(len(make().schemas()))

    threads = [threading.Thread(target=load, args=(make,)) for make in CALLERS]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(*sorted(counts))
    sys.exit(len(counts) != len(CALLERS))


if __name__ == "__main__":
    main()
