"""The published standards that policies reference."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Standard:
    """A published set of controls."""

    name: str
    version: str
    reference: str


FSBP: Final = Standard(
    "AWS Foundational Security Best Practices",
    "1.0.0",
    "https://docs.aws.amazon.com/securityhub/latest/userguide/fsbp-standard.html",
)
TAGGING: Final = Standard(
    "AWS Resource Tagging Standard",
    "1.0.0",
    "https://docs.aws.amazon.com/securityhub/latest/userguide/standards-tagging.html",
)
WELL_ARCHITECTED: Final = Standard(
    "AWS Well-Architected Framework",
    "2024-11-06",
    "https://docs.aws.amazon.com/wellarchitected/latest/framework/welcome.html",
)

WEAKNESSES: Final = Standard("Common Weakness Enumeration", "4.17", "https://cwe.mitre.org/data/index.html")
