"""Serves the file system by libfuse, which calls its operations in several threads."""

import ctypes
import errno
import os
import sys
from pathlib import Path
from typing import Any

import mfusepy

from sandbox.efs_latency.file_system import CACHED_SECONDS, Files

__all__ = ["serve"]

_FILL_DIR_PLUS = 1 << 1


def serve(files: "Files", place: Path) -> None:
    """Serve ``files`` at ``place`` until SIGTERM."""
    os.umask(0)  # the kernel has applied the caller's
    # A thread that has waited would wait for the interpreter up to 5 ms more.
    sys.setswitchinterval(0.0002)
    _Server(
        files,
        str(place),
        raw_fi=True,
        foreground=True,
        fsname="efs-latency",
        allow_other=True,
        default_permissions=True,
        use_ino=True,
        entry_timeout=CACHED_SECONDS,
        negative_timeout=CACHED_SECONDS,
        attr_timeout=CACHED_SECONDS,
    )


class _Server(mfusepy.FUSE):
    """mfusepy's callbacks, except for two whose flags it ignores."""

    def rename_fuse_3(self, old: bytes, new: bytes, flags: int) -> int:
        # NFS has no exchange and no rename that keeps what is there.
        if flags:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        return super().rename_fuse_3(old, new, flags)

    def readdir_fuse_3(self, path: bytes | None, buf: Any, filler: Any, offset: int, fip: Any, flags: int) -> int:  # noqa: ARG002, PLR0917 - mfusepy's
        """List a directory with its entries' attributes, as NFS does; otherwise each entry would be looked up.

        libfuse takes the attributes only of entries with a position, and asks again from the next one when its page is full.
        """
        listing = self.operations.readdir(os.fsdecode(path or b""), fip.contents.fh)
        for name, attributes, position in listing[offset:]:
            status = mfusepy.c_stat()
            mfusepy.set_st_attrs(status, attributes, use_ns=True)
            if filler(buf, os.fsencode(name), ctypes.pointer(status), position, _FILL_DIR_PLUS):
                break
        return 0
