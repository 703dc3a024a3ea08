"""What all tests share: a record of the skipped ones, the IAM policy evaluator, and no AWS credentials of the machine."""

import os
from collections.abc import Iterator

import pytest

from components.sdk_imports import quick_imports
from sandbox.testbed.iam_evaluation.evaluator import Evaluator
from tests.needs import iam_evaluator, pytest_runtest_logreport

__all__ = ["evaluator", "pytest_runtest_logreport"]

# Each worker imports the SDK, as a program does. What the finder has not imported, it imports when a test uses it.
with quick_imports():
    import pulumi_aws  # noqa: F401

# They must not decide what a test finds.
for _name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
    os.environ.pop(_name, None)
os.environ |= {"AWS_EC2_METADATA_DISABLED": "true", "AWS_SHARED_CREDENTIALS_FILE": os.devnull}


@pytest.fixture(scope="session")
def evaluator() -> Iterator[Evaluator]:
    iam_evaluator()
    with Evaluator() as started:
        yield started
