"""The ECS cluster of the service: the stack's own, or an existing one."""

import dataclasses
from collections.abc import Sequence

import pulumi
import pulumi_aws as aws

from ..names import PhysicalNames


@dataclasses.dataclass(frozen=True)
class Cluster:
    """The values of a cluster that the service needs."""

    arn: pulumi.Input[str]
    name: pulumi.Input[str]
    after: Sequence[pulumi.Resource] = ()
    """What a service needs without a reference: the cluster's capacity providers."""


def existing_cluster(names: PhysicalNames, parent: pulumi.Resource) -> Cluster | None:
    """The cluster that the settings name, looked up immediately: a missing one fails the run. None for one of the stack's own.

    Raises:
        pulumi.RunError: ECS has no active cluster of this name.
    """
    if names.cluster_name is None:
        return None
    found = aws.ecs.get_cluster(cluster_name=names.cluster, opts=pulumi.InvokeOptions(parent=parent))
    if found.status != "ACTIVE":
        raise pulumi.RunError(
            f"atlantis:clusterName = {names.cluster!r}: the cluster is {found.status}, not ACTIVE; name another one, or remove the "
            "setting for a new cluster"
        )
    return Cluster(found.arn, names.cluster)
