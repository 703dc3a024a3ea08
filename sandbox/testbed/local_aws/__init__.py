"""The local AWS: its process, what it answers, and its inventory."""

from sandbox.testbed.local_aws.instance import (
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
