"""boto3 clients of a local AWS. They share a session: each session loads the data of all services again."""

import os
import threading
from functools import cache
from typing import Any

_creating = threading.Lock()
"""A session isn't thread-safe; clients are."""


def create(service: str, **arguments: Any) -> Any:
    """A client of ``service`` (boto3's name, such as ``elbv2``). ``arguments`` are those of boto3's ``client``."""
    with _creating:
        return _session().client(service, **arguments)


@cache
def _session() -> Any:
    """A boto3 session that ignores the user's AWS configuration; a configured profile may not exist here."""
    import boto3  # noqa: PLC0415 - takes 0.3 seconds, and most commands don't need it
    import botocore.session  # noqa: PLC0415

    no_file = (None, None, os.devnull, None)
    variables = {"profile": (None, None, None, None), "config_file": no_file, "credentials_file": no_file}
    return boto3.Session(botocore_session=botocore.session.Session(session_vars=variables))
