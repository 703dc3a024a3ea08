"""What a replication group's redis-server and the snapshots of its data have in common."""

from typing import Final

DATA: Final = "locks.rdb"
"""The file that the redis-server saves."""
PROCESS: Final = "locking-"
"""The redis-server's name is this and the group's."""
USER: Final = "snapshots"
"""The redis-server's user that may only save."""
