"""The parts of one Atlantis that its permissions, its load balancer and its tasks need."""

import dataclasses

from .context import Context
from .network.network import Network
from .network.vpc import Vpc
from .secrets.existing_secrets import ExistingSecrets
from .secrets.secrets import Secrets
from .settings import Settings
from .storage.locking import Locking
from .storage.storage import Storage


@dataclasses.dataclass(frozen=True, kw_only=True)
class Parts:
    """What exists before the roles and the services, in the order of its creation."""

    context: Context
    vpc: Vpc
    network: Network
    storage: Storage
    secrets: Secrets
    locking: Locking | None
    """None: the locks are in a file in the data directory, which only one server at a time can open."""
    existing: ExistingSecrets
    """Secrets that the stack doesn't create."""

    @property
    def settings(self) -> Settings:
        return self.context.settings
