"""Whether the policies that the settings lead to fit into AWS' limits."""

from ..names import PhysicalNames
from ..settings import Settings
from . import permissions_boundary, state

__all__ = ["require_fit"]


def require_fit(names: PhysicalNames, settings: Settings, *, zones: int) -> None:
    """Check before anything is registered. A VPC of the stack's own has subnets in so many zones.

    Raises:
        pulumi.RunError: a policy would have too many characters; names the settings that make it long.
    """
    state.require_fit(names, settings.terraform)
    if settings.terraform.creates_boundary:
        permissions_boundary.require_fit(
            names,
            settings.terraform.managed_name_prefixes,
            settings.existing_secret_names,
            subnets=(len([*settings.network.public_subnet_ids, *settings.network.private_subnet_ids]) or 2 * zones)
            + sum(len(group.subnet_ids) for group in settings.worker_groups),
            listener_arn=settings.existing.https_listener_arn,
            isolates=settings.terraform.isolates,
        )
