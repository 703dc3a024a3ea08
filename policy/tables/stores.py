"""The data stores that encryption evaluates: the property that encrypts each, its key, and what AWS does without them.

Properties are input paths of the aws provider. AWS always encrypts a store without a switch, which is listed for its key.
"""

from typing import Final

from tables.store import Store
from tables.stores_files import DATABASES, FILES
from tables.stores_services import ANALYTICS, OPERATIONS, STREAMS

__all__ = ["KEY_NAMES", "STORES", "Store"]

STORES: Final[tuple[Store, ...]] = (*FILES, *DATABASES, *ANALYTICS, *STREAMS, *OPERATIONS)
KEY_NAMES: Final[tuple[str, ...]] = tuple(sorted({store.name for store in STORES if store.key}))
