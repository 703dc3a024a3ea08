"""References to images in ECR, and the words of image manifests. The sandbox's task agent needs them without Pulumi's SDK."""

import re
from dataclasses import dataclass

MANIFESTS = (
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
)
INDEXES = (
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.index.v1+json",
)
PLATFORMS = {"X86_64": "amd64", "ARM64": "arm64"}
"""ECS' names of CPU architectures, and the corresponding names in image manifests."""

_ECR_REFERENCE = re.compile(
    r"(?P<account>\d{12})\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.amazonaws\.com(?:\.cn)?/(?P<repository>[^:@]+)"
    r"(?::(?P<tag>[^@]+))?(?:@(?P<digest>sha256:[0-9a-f]{64}))?"
)


@dataclass(frozen=True)
class EcrImage:
    """An image in ECR. If a reference has a tag and a digest, the digest applies."""

    account: str
    region: str
    repository: str
    tag: str | None
    digest: str | None

    @classmethod
    def parse(cls, reference: str) -> "EcrImage | None":
        """Parse ``<account>.dkr.ecr.<region>.amazonaws.com/atlantis:v0.47.1``, for example; None if it isn't in ECR."""
        match = _ECR_REFERENCE.fullmatch(reference)
        return cls(**match.groupdict()) if match else None

    @property
    def identifier(self) -> dict[str, str]:
        """The image identifier in calls to ECR."""
        return {"imageDigest": self.digest} if self.digest else {"imageTag": self.tag or "latest"}

    @property
    def registry(self) -> str:
        """The host of the account's registry."""
        return f"{self.account}.dkr.ecr.{self.region}.amazonaws.com{'.cn' if self.region.startswith('cn-') else ''}"

    def __str__(self) -> str:
        return f"{self.repository}@{self.digest}" if self.digest else f"{self.repository}:{self.tag or 'latest'}"
