"""Plans that run the program with the same settings and the same answers of its data sources share one run."""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from adoption import plan, program
from adoption.program import Lookup, Wanted
from components.adoption import FILE_VARIABLE

Run = tuple[list[tuple[str, Mapping[str, Any], Mapping[str, Any]]], list[Wanted]]
"""What the program asked and was answered, and what it registered."""


@pytest.fixture(autouse=True, scope="session")
def _shared_runs() -> Iterator[None]:
    runs: dict[str, list[Run]] = {}

    def register(stack: str, region: str, settings: Mapping[str, Any], lookup: Lookup) -> list[Wanted]:
        # The program reads files of the settings in this folder, and the adoption file.
        key = json.dumps([stack, region, settings, str(Path.cwd()), os.environ.get(FILE_VARIABLE)], sort_keys=True)
        for asked, wanted in runs.setdefault(key, []):
            if all(lookup(token, arguments) == answer for token, arguments, answer in asked):
                return wanted
        asked = []

        def answered(token: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
            asked.append((token, arguments, lookup(token, arguments)))
            return asked[-1][2]

        runs[key].append((asked, program.register(stack, region, settings, answered)))
        return runs[key][-1][1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plan, "register", register)
        yield
