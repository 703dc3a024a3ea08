"""The image checks, each spoiled once."""

import pytest

from components.settings.workers import IMAGE_LABEL, IMAGE_VERSION
from preflight.ecr_image import EcrImage
from preflight.errors import Status
from tests.preflight.account import TAG, Account

REGISTRY = "123456789012.dkr.ecr.ap-northeast-2.amazonaws.com"


def test_the_registry_of_a_region_in_china_has_the_domain_of_that_partition() -> None:
    reference = "123456789012.dkr.ecr.cn-north-1.amazonaws.com.cn/atlantis:v0.47.1"
    image = EcrImage.parse(reference)
    assert image
    assert f"{image.registry}/{image}" == reference


def test_image_for_other_processors_is_named(account: Account):
    account.push_image("arm64")
    account.assert_only(
        "image: architecture",
        Status.FAILED,
        "atlantis:v0.47.1 is for arm64, cpuArchitecture X86_64 needs amd64",
        "docker buildx build --platform linux/amd64",
    )


@pytest.mark.parametrize(
    ("architectures", "wanted", "status"),
    [
        (("amd64", "arm64"), "ARM64", Status.OK),
        (("amd64", "arm64"), "X86_64", Status.OK),
        (("amd64",), "ARM64", Status.FAILED),
        ((), "X86_64", Status.FAILED),
    ],
)
def test_index_is_searched_for_the_architecture(
    account: Account, architectures: tuple[str, ...], wanted: str, status: Status
):
    account.push_index(*architectures)
    account.values["cpuArchitecture"] = wanted
    result = account.result("image: architecture")
    assert result.status is status
    assert f"is for {', '.join(architectures) or 'no Linux platform'}" in result.message


def test_whole_reference_by_digest_is_found_in_ecr(account: Account):
    digest = account.push_image("arm64", tag="other")
    account.values |= {"image": f"{REGISTRY}/atlantis:{TAG}@{digest}", "cpuArchitecture": "ARM64"}
    results = account.results()
    assert results["image: exists"].message == f"atlantis@{digest} in account 123456789012, ap-northeast-2"
    assert results["image: architecture"].status is Status.OK


ISOLATION = {IMAGE_LABEL: IMAGE_VERSION}


@pytest.mark.parametrize(
    ("labels", "found"),
    [(None, "no label atlantis.isolation"), ({IMAGE_LABEL: "0"}, "atlantis.isolation=0")],
    ids=["the stock image", "an earlier version"],
)
def test_an_image_that_cannot_isolate_terraform_is_named_with_the_command_that_builds_one(
    account: Account, labels: dict[str, str] | None, found: str
):
    account.push_image("amd64", tag="v0.47.1-3", labels=labels)
    account.values |= {"terraformIsolation": "tasks", "imageTag": "v0.47.1-3"}
    account.assert_only(
        "image: programs",
        Status.FAILED,
        f"atlantis:v0.47.1-3 has {found}, and terraformIsolation needs atlantis.isolation=2",
        "docker buildx build --platform linux/amd64 --build-arg DIGEST=<digest of ghcr.io/runatlantis/atlantis:v0.47.1> ",
        f"--tag {REGISTRY}/atlantis:v0.47.1-4 --push docker",
        "set imageTag to v0.47.1-4",
        besides="policy pack: configuration",
    )


def test_the_programs_are_looked_for_in_the_image_of_the_tasks_architecture(account: Account):
    digest = account.push_image("arm64", tag="arm", labels=ISOLATION)
    account.push_index("arm64", "amd64", tag="v0.47.1-1", digest=digest)
    account.values |= {"terraformIsolation": "tasks", "imageTag": "v0.47.1-1", "cpuArchitecture": "ARM64"}
    result = account.result("image: programs")
    assert (result.status, result.message) == (Status.OK, "atlantis:v0.47.1-1 has atlantis.isolation=2")


def test_the_stock_image_needs_no_label_without_isolation(account: Account):
    assert account.result("image: programs").status is Status.OK
