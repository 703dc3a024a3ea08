"""The local AWS: its process, what exists in it, and substitutes for resources that a stack file names by id."""

from sandbox.local_aws.instance import (
    ACCOUNT,
    REGION,
    ROOT_KEY,
    SERVICES,
    LocalAws,
    crashed,
    running,
    start,
    stop,
)

__all__ = ["ACCOUNT", "REGION", "ROOT_KEY", "SERVICES", "LocalAws", "crashed", "running", "start", "stop"]
