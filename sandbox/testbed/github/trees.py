"""The files of a commit, as GitHub's Git database lists them."""

import subprocess
from pathlib import Path

__all__ = ["tree"]


def tree(git_directory: Path, commit: str) -> list[dict[str, str]] | None:
    """The entries of a commit's whole tree: path, type and hash; None if there is no such commit."""
    listing = subprocess.run(
        ["git", "ls-tree", "-r", "-t", "-z", commit], cwd=git_directory, capture_output=True, text=True, check=False
    )
    if listing.returncode != 0:
        return None
    fields = (entry.split("\t", 1) for entry in listing.stdout.split("\0") if entry)
    return [{"path": path, "type": head.split()[1], "sha": head.split()[2]} for head, path in fields]
