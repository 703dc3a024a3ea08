"""Resources that a killed run has created, but not recorded."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import ClientError


@contextmanager
def left_by_a_killed_run(taken: str) -> Iterator[None]:
    """Adopt an existing resource of the same name.

    A run was killed before it recorded it, or a user created the secret.
    """
    try:
        yield
    except ClientError as error:
        if error.response["Error"]["Code"] != taken:
            raise
