"""The engine, and the stacks that are deployed once in a run."""

from tests.sandbox.conftest import _engine, _shapes  # noqa: F401 - fixtures
