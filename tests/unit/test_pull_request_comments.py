"""Which of Atlantis' comments are failures, with which `make webhook` and `make pr` end with exit code 1."""

import pytest

from sandbox.pull_requests import has_failed
from tests.tables import table


@pytest.mark.parametrize(("comment", "failed"), table(__file__, "comments"))
def test_a_comment_with_an_error_or_a_failure_has_failed(comment: str, failed: bool) -> None:
    assert has_failed(["Ran Plan for 0 projects:", comment]) is failed
