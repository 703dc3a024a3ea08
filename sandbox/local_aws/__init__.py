"""The local AWS: its process, its inventory, and substitutes for existing resources that a stack file refers to."""

from sandbox.local_aws.instance import ACCOUNT, REGION, ROOT_KEY, SERVICES, LocalAws, crashed, running, start, stop

__all__ = ["ACCOUNT", "REGION", "ROOT_KEY", "SERVICES", "LocalAws", "crashed", "running", "start", "stop"]
