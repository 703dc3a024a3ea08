"""Buckets that are public websites on purpose: the key ``publicWebsites`` names them, each with the reason."""

from typing import Final

from evaluation.configuration import Option
from evaluation.resources import Resource
from evaluation.rule import Findings
from evaluation.values import text, wildcard

PUBLIC_WEBSITES: Final = Option(
    "publicWebsites",
    "pairs",
    {},
    "Buckets that are public websites on purpose, each with the reason: an object of names (bucket, resource or URN; * and ?"
    " are wildcards) and reasons. S3's website endpoints support only HTTP.",
)


def is_public_website(resource: Resource, check: str, findings: Findings) -> bool:
    """Whether a bucket, or the bucket of a policy or an ACL, is a public website; notes the reason as an exemption."""
    websites = findings.settings.pairs(PUBLIC_WEBSITES.name)
    bucket = (text(resource.at("bucket")) or "").rpartition(":::")[2]
    for pattern, reason in websites.items():
        if any(wildcard(name, pattern) for name in (bucket, resource.name, resource.urn) if name):
            findings.excused(resource, check, reason)
            return True
    return False
