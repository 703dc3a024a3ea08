"""boto3's clients of a local AWS, from one session: each session reads AWS' descriptions of all services and endpoints anew."""

import os
import threading
from functools import cache
from typing import Any

__all__ = ["create"]

_creating = threading.Lock()
"""A session is not for several threads at once; its clients are."""


def create(service: str, **arguments: Any) -> Any:
    """The client of ``service`` (boto3's own name, such as ``elbv2``), with boto3's arguments for one."""
    with _creating:
        return _session().client(service, **arguments)


@cache
def _session() -> Any:
    """A boto3 session that reads nothing of the person's AWS configuration; their profile may not even exist here."""
    import boto3  # noqa: PLC0415 - a third of a second that most commands can do without
    import botocore.session  # noqa: PLC0415

    no_file = (None, None, os.devnull, None)
    variables = {"profile": (None, None, None, None), "config_file": no_file, "credentials_file": no_file}
    return boto3.Session(botocore_session=botocore.session.Session(session_vars=variables))
