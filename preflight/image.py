"""The image: it exists in ECR, supports the task's CPU architecture, and has the programs that isolate Terraform."""

import base64
import dataclasses
import hashlib
import json
from typing import Any

import urllib3

from components.settings.schema import known
from components.settings.workers import IMAGE_LABEL, IMAGE_VERSION
from preflight.check import Check
from preflight.deployment import Deployment
from preflight.ecr_image import INDEXES, MANIFESTS, PLATFORMS, EcrImage
from preflight.errors import FailedError, NotCheckedError


def exists(deployment: Deployment) -> str:
    """The repository has the image that the task definition names."""
    image = _image(deployment)
    _manifest(deployment, image)
    return f"{image} in account {image.account}, {image.region}"


def architecture(deployment: Deployment) -> str:
    """The image, or one of the images in its index, supports the task's CPU architecture."""
    image = _image(deployment)
    wanted = PLATFORMS[deployment.settings.task.cpu_architecture]
    manifest = _manifest(deployment, image)
    if "manifests" in manifest:
        platforms = [entry.get("platform", {}) for entry in manifest["manifests"]]
        # An index lists build attestations as images for an unknown platform.
        found = sorted({platform["architecture"] for platform in platforms if platform.get("os") == "linux"})
    else:
        config = _config(deployment, image, manifest["config"]["digest"])
        found = [config["architecture"]]
    if wanted not in found:
        raise FailedError(
            f"{image} is for {', '.join(found) or 'no Linux platform'}, cpuArchitecture {deployment.settings.task.cpu_architecture} "
            f"needs {wanted}; the task would stop with `exec format error`",
            f"build with `docker buildx build --platform linux/{wanted}` and push it, or change cpuArchitecture",
        )
    return f"{image} is for {', '.join(found)}"


def programs(deployment: Deployment) -> str:
    """The image has the programs of docker/isolation, if Terraform runs in workers."""
    if not deployment.settings.terraform.isolates:
        return "terraformIsolation is none, which needs no image of docker/"
    image = _image(deployment)
    wanted = PLATFORMS[deployment.settings.task.cpu_architecture]
    manifest = _manifest(deployment, image)
    if "manifests" in manifest:
        of_task = {"os": "linux", "architecture": wanted}
        entry = next(each for each in manifest["manifests"] if of_task.items() <= each.get("platform", {}).items())
        manifest = _manifest(deployment, dataclasses.replace(image, digest=entry["digest"]))
    config = _config(deployment, image, manifest["config"]["digest"])
    label = ((config.get("config") or {}).get("Labels") or {}).get(IMAGE_LABEL)
    if label != IMAGE_VERSION:
        found = f"{IMAGE_LABEL}={label}" if label else f"no label {IMAGE_LABEL}"
        raise FailedError(
            f"{image} has {found}, and terraformIsolation needs {IMAGE_LABEL}={IMAGE_VERSION}: the image of this version's docker/; "
            "the task would not start, and ECS would roll the deployment back",
            _build(image, wanted),
        )
    return f"{image} has {IMAGE_LABEL}={label}"


CHECKS = (
    Check("image", "exists", exists),
    Check("image", "architecture", architecture, needs=(exists,)),
    Check("image", "programs", programs, needs=(architecture,)),
)


def _build(image: EcrImage, architecture: str) -> str:
    """The command that builds an image with the programs under the next tag, because the repository's tags are immutable."""
    version, _, number = (image.tag or "v<version>").partition("-")
    tag = f"{version}-{int(number) + 1 if number.isdecimal() else 1}"
    return (
        f"docker buildx build --platform linux/{architecture} --build-arg DIGEST=<digest of ghcr.io/runatlantis/atlantis:{version}> "
        f"--tag {image.registry}/{image.repository}:{tag} --push docker (docker/README.md), and set imageTag to {tag}"
    )


def _image(deployment: Deployment) -> EcrImage:
    reference = known(deployment.settings.task.image)
    if not reference:
        names = deployment.names
        return EcrImage(names.account, names.region, names.repository, deployment.settings.task.image_tag, None)
    image = EcrImage.parse(reference)
    if image is None:
        raise NotCheckedError(f"{reference} isn't in ECR, and preflight checks only ECR")
    return image


def _manifest(deployment: Deployment, image: EcrImage) -> dict[str, Any]:
    """The image's manifest or index."""
    answer = deployment.aws.in_region(image.region).find(
        "ecr",
        "batch_get_image",
        registryId=image.account,
        repositoryName=image.repository,
        imageIds=[image.identifier],
        acceptedMediaTypes=[*MANIFESTS, *INDEXES],
    )
    if answer is None or not answer["images"]:
        if not deployment.settings.task.desired_count:
            raise NotCheckedError(f"{image} doesn't exist yet; desiredCount 0 runs no task", "push it next")
        lack = f"the repository {image.repository}" if answer is None else f"the image {image}"
        raise FailedError(f"{lack} does not exist in account {image.account}, {image.region}", _remedy(image, answer))
    return json.loads(answer["images"][0]["imageManifest"])


def _remedy(image: EcrImage, answer: dict[str, Any] | None) -> str:
    if answer is None:
        return (
            "deploy once with desiredCount 0, which creates the repository; push the image; deploy with desiredCount 1"
        )
    if not image.tag:
        return "push it, or use an existing digest"
    return f"docker push {image.registry}/{image.repository}:{image.tag}"


def _config(deployment: Deployment, image: EcrImage, digest: str) -> dict[str, Any]:
    """The image's configuration, which only the registry's HTTP API returns."""
    aws = deployment.aws.in_region(image.region)
    grant = aws.read("ecr", "get_authorization_token")["authorizationData"][0]
    registry = aws.endpoint("ecr") if aws.is_emulated("ecr") else grant["proxyEndpoint"]
    user_and_password = base64.b64decode(grant["authorizationToken"]).decode()
    try:
        answer = urllib3.request(
            "GET",
            f"{registry}/v2/{image.repository}/blobs/{digest}",
            headers=urllib3.make_headers(basic_auth=user_and_password),
            timeout=20,
        )
    except urllib3.exceptions.HTTPError as error:
        raise FailedError(
            f"the registry {registry} can't be reached: {type(error).__name__}", "check the network"
        ) from None
    if answer.status in (401, 403):
        raise FailedError(
            "the permission ecr:GetDownloadUrlForLayer is missing",
            "allow ecr:GetDownloadUrlForLayer to the caller, or use credentials that have it",
        )
    if answer.status != 200 or f"sha256:{hashlib.sha256(answer.data).hexdigest()}" != digest:
        raise FailedError(f"{image} has no readable configuration {digest} ({answer.status})", "push the image again")
    return json.loads(answer.data)
