"""The user of a container by the IDs that it has in the image."""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_IMAGE_USER = "100"
_USERS = {"root": "0", "atlantis": "100"}
_GROUPS = {"root": "0", "atlantis": "1000", "0": "0", "100": "1000"}
"""The groups of the image by name, and those of its users by the user's ID."""


class TaskUserError(Exception):
    """Why a container can't have its user."""


@dataclass(frozen=True)
class TaskUser:
    """IDs of a user and a group."""

    uid: int
    gid: int

    def own(self, directory: Path) -> None:
        """Make the user the owner of ``directory`` and everything in it.

        The previous task may still delete files of the volume, such as the working directories of a closed pull request.
        """
        self._own(directory)
        for folder, folders, files in os.walk(directory):  # skips a directory that is deleted before it is listed
            for name in (*folders, *files):
                self._own(Path(folder, name))

    def _own(self, path: Path) -> None:
        with suppress(FileNotFoundError):
            os.chown(path, self.uid, self.gid, follow_symlinks=False)


def container_user(user: str) -> TaskUser:
    """The IDs in a container for its ``user``: ``uid``, ``uid:gid``, names of the image, or empty for the image's user.

    Raises:
        TaskUserError: there is no such user in the image.
    """
    name, _, group = (user or _IMAGE_USER).partition(":")
    uid = _USERS.get(name, name)
    gid = _GROUPS.get(group, group) or _GROUPS.get(uid, "0")
    if not (uid.isdecimal() and gid.isdecimal()):
        raise TaskUserError(f"the container's user {user!r} is neither uid:gid nor a user of the image")
    return TaskUser(int(uid), int(gid))
