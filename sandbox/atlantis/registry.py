"""The task's image in ECR: pushed as an operator mirrors it, and pulled with the execution role's permissions.

The pushed index refers to images with a configuration and no layers, because no container runtime unpacks them. The
task runs the server of ``sandbox.atlantis.build`` instead. An image outside the local AWS' registry can't be checked.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import urllib3
from botocore.exceptions import ClientError

from preflight.ecr_image import INDEXES, MANIFESTS, PLATFORMS, EcrImage
from sandbox.testbed.containers.deployed_service import DeployedService, refusal
from sandbox.testbed.containers.errors import TaskStartError
from sandbox.testbed.local_aws import ACCOUNT

_INDEX, _MANIFEST = INDEXES[-1], MANIFESTS[-1]
_CONFIG = "application/vnd.oci.image.config.v1+json"
_DENIED = {"AccessDenied", "AccessDeniedException"}


def local_image(deployment: DeployedService, reference: str) -> EcrImage | None:
    """Parse the image ``reference``; returns None if it isn't in the local AWS' registry."""
    image = EcrImage.parse(reference)
    return image if image and (image.account, image.region) == (ACCOUNT, deployment.region) else None


def push(deployment: DeployedService, image: EcrImage, version: str) -> bool:
    """Push Atlantis ``version`` for every platform that ECS supports, if ``image`` has this tag and doesn't exist yet.

    Returns False if nothing was pushed: the image has a digest or another tag, it exists, or its repository doesn't.
    """
    client = deployment.client("ecr")
    if image.digest or image.tag != version:
        return False
    try:
        if client.batch_get_image(repositoryName=image.repository, imageIds=[image.identifier])["images"]:
            return False
    except client.exceptions.RepositoryNotFoundException:
        # The task's start reports the missing repository.
        return False
    entries = [_push_platform(deployment, image, version, platform) for platform in PLATFORMS.values()]
    index = {"schemaVersion": 2, "mediaType": _INDEX, "manifests": entries}
    client.put_image(
        repositoryName=image.repository,
        imageManifest=json.dumps(index),
        imageManifestMediaType=_INDEX,
        imageTag=image.tag,
    )
    return True


def pull(deployment: DeployedService, image: EcrImage, architecture: str, client: Any, role: str) -> str:
    """Pull the manifest, as Fargate does before a start; ``client`` has the role's permissions.

    ``architecture`` is the CPU architecture in the task definition. Returns the digest of the image for it; raises
    ``TaskStartError`` if the image can't be pulled.
    """
    platform = PLATFORMS[architecture]
    try:
        client.get_authorization_token()
        digest, manifest = _manifest(deployment, client, image.repository, image.identifier)
        for entry in (each for each in manifest.get("manifests", ()) if each["platform"]["architecture"] == platform):
            digest, manifest = _manifest(deployment, client, image.repository, {"imageDigest": entry["digest"]})
        for blob in (manifest["config"], *manifest["layers"]):
            client.get_download_url_for_layer(repositoryName=image.repository, layerDigest=blob["digest"])
    except ClientError as problem:
        raise _refused(image, _explain(problem, role)) from problem
    return digest


def _push_platform(deployment: DeployedService, image: EcrImage, version: str, platform: str) -> dict[str, Any]:
    """Push the image of one platform and return its entry in the index."""
    labels = {"org.opencontainers.image.version": version}
    config = json.dumps({"architecture": platform, "os": "linux", "config": {"Labels": labels}}).encode()
    digest = f"sha256:{hashlib.sha256(config).hexdigest()}"
    answer = urllib3.request(
        "POST", f"{deployment.endpoint}/v2/{image.repository}/blobs/uploads/?digest={digest}", body=config, timeout=20
    )
    if answer.status != 201:
        raise _refused(image, f"its configuration can't be pushed ({answer.status})")
    blob = {"mediaType": _CONFIG, "size": len(config), "digest": digest}
    manifest = json.dumps({"schemaVersion": 2, "mediaType": _MANIFEST, "config": blob, "layers": []})
    pushed = deployment.client("ecr").put_image(
        repositoryName=image.repository, imageManifest=manifest, imageManifestMediaType=_MANIFEST
    )["image"]["imageId"]["imageDigest"]
    where = {"architecture": platform, "os": "linux"}
    return {"mediaType": _MANIFEST, "size": len(manifest), "digest": pushed, "platform": where}


def _manifest(
    deployment: DeployedService, client: Any, repository: str, identifier: Mapping[str, str]
) -> tuple[str, dict[str, Any]]:
    answer = client.batch_get_image(
        repositoryName=repository, imageIds=[identifier], acceptedMediaTypes=[*MANIFESTS, *INDEXES]
    )
    if not answer["images"]:
        listed = deployment.client("ecr").list_images(repositoryName=repository)["imageIds"]
        tags = sorted({found["imageTag"] for found in listed if "imageTag" in found})
        name = next(iter(identifier.values()))
        raise TaskStartError(
            f"CannotPullContainerError: the repository {repository} has no image {name} (it has "
            f"{', '.join(tags) or 'none'}): push it, or use an existing tag"
        )
    image = answer["images"][0]
    return image["imageId"]["imageDigest"], json.loads(image["imageManifest"])


def _explain(problem: ClientError, role: str) -> str:
    if problem.response["Error"]["Code"] in _DENIED:
        return (
            f"the execution role {role.rpartition('/')[2]} may not ({refusal(problem)}): it needs "
            "ecr:GetAuthorizationToken, and ecr:BatchGetImage and ecr:GetDownloadUrlForLayer on the repository, whose own "
            "policy must not forbid it"
        )
    return refusal(problem)


def _refused(image: EcrImage, why: str) -> TaskStartError:
    return TaskStartError(f"CannotPullContainerError: {image}: {why}")
