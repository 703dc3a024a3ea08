"""Parsers of container images: a tag that a push can move isn't accepted."""

import re

from .values import UnacceptableError


def reference(value: object) -> str:
    """A full image reference with a digest, or with a tag other than `latest`."""
    pattern = r"(?:[a-z0-9.-]+(?::\d+)?/)?[a-z0-9._/-]+(?::(?P<tag>\w[\w.-]{0,127}))?(?P<digest>@sha256:[0-9a-f]{64})?"
    match = re.fullmatch(pattern, value, re.ASCII) if isinstance(value, str) else None
    if not match or not (match["tag"] or match["digest"]):
        raise UnacceptableError(
            "must be registry/repository with a tag or a digest, such as ghcr.io/runatlantis/atlantis:v0.47.1"
        )
    if (match["tag"] or "").lower() == "latest" and not match["digest"]:
        raise UnacceptableError("must not be `latest`, because a push would change the image without a deployment")
    return match[0]


def tag(value: object) -> str:
    """An image tag other than `latest`."""
    if not isinstance(value, str) or not re.fullmatch(r"\w[\w.-]{0,127}", value, re.ASCII):
        raise UnacceptableError("must be an image tag, such as v0.47.1")
    if value.lower() == "latest":
        raise UnacceptableError("must not be `latest`, because a push would change the image without a deployment")
    return value
