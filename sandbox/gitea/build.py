"""Builds Gitea from its Go module, without its frontend: the API, git over HTTP and the webhooks need none."""

from pathlib import Path

from sandbox.testbed.go_build import build_once, module_directory, required
from sandbox.testbed.paths import CHECKOUT, ENGINES

_MODULE, _SOURCES, _GO = "code.gitea.io/gitea", CHECKOUT / "sandbox" / "gitea", (1, 26)


def sources() -> Path:
    """The sources of the pinned version, with the templates and the translations that the server reads."""
    return module_directory(_MODULE, _SOURCES)


def executable() -> Path:
    """The executable of the pinned version, which is built if it doesn't exist yet."""
    version = required(_MODULE, _SOURCES)
    built = ENGINES / f"gitea-{version}"
    # A client asks for the version, and refuses that of a development build.
    flags = f"-X main.Version={version.removeprefix('v')}"
    build_once(f"Gitea {version}", built, _GO, lambda build: build.compile_module(_MODULE, _SOURCES, flags))
    return built
