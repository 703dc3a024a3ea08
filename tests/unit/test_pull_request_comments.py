"""Which of Atlantis' comments are failures, with which `make webhook` and `make pr` end with exit code 1."""

import pytest

from sandbox.pull_requests import has_failed


@pytest.mark.parametrize(
    ("comment", "failed"),
    [
        ("Ran Plan for dir: `a` workspace: `default`\n\n**Plan Error**\n```\nexit status 1\n```", True),
        ("**Apply Failed**: Pull request must be approved", True),
        ("**Policy Check Failed**: 1 policy", True),
        ("```\nError: Pre-workflow hook failed: exit status 1\n```", True),
        ('Ran Plan for dir: `a` workspace: `default`\n\n```diff\n+ tag = "Error**"\n```\nPlan: 1 to add', False),
        ("Ran Apply for dir: `a`\n\n```diff\nApply complete!\n```", False),
    ],
)
def test_a_comment_with_an_error_or_a_failure_has_failed(comment: str, failed: bool) -> None:
    assert has_failed(["Ran Plan for 0 projects:", comment]) is failed
