"""The task's image: pushed once, as an operator would, and pulled with the execution role's rights or not at all."""

import json

import pytest

from sandbox.atlantis import build, operator, registry
from sandbox.testbed.containers.deployed_service import ROOT
from sandbox.testbed.containers.errors import TaskStartError
from tests.sandbox.atlantis.local_service import REPOSITORY, TRUST, LocalService


@pytest.fixture
def pushed(local: LocalService) -> LocalService:
    operator.push_image(local.deployment, local.deployment.require_service())
    return local


def _reference(local: LocalService, tag: str) -> str:
    return f"{local.aws.account}.dkr.ecr.{local.aws.region}.amazonaws.com/{REPOSITORY}:{tag}"


def _pull(local: LocalService, tag: str, architecture: str = "X86_64", role: str | None = None) -> str:
    image = registry.local_image(local.deployment, _reference(local, tag))
    assert image is not None
    role = role or local.roles["execution"]
    client = local.deployment.client("ecr", local.deployment.assume(role, "pull"))
    return registry.pull(local.deployment, image, architecture, client, role)


def _refusal(local: LocalService, tag: str, architecture: str = "X86_64", role: str | None = None) -> str:
    with pytest.raises(TaskStartError) as failure:
        _pull(local, tag, architecture, role)
    return str(failure.value)


def test_the_built_version_is_pushed_once_for_every_platform_of_ecs(local: LocalService) -> None:
    assert local.aws.client("ecr").list_images(repositoryName=REPOSITORY)["imageIds"] == []
    service = local.deployment.require_service()
    assert [operator.push_image(local.deployment, service) for _ in range(2)] == [True, False]
    images = local.aws.client("ecr").describe_images(repositoryName=REPOSITORY)["imageDetails"]
    assert [image["imageTags"] for image in images if image.get("imageTags")] == [[build.version()]]
    digests = {_pull(local, build.version(), architecture) for architecture in ("X86_64", "ARM64")}
    assert len(digests) == 2
    assert digests < {image["imageDigest"] for image in images}


def test_another_tag_is_left_to_the_operator(pushed: LocalService) -> None:
    definition = pushed.register(lambda container: container.update(image=_reference(pushed, "v9.9.9")))
    pushed.deploy(definition)
    assert not operator.push_image(pushed.deployment, pushed.deployment.require_service())
    assert _refusal(pushed, "v9.9.9") == (
        f"CannotPullContainerError: the repository atlantis has no image v9.9.9 (it has {build.version()}): push it, or "
        "use an existing tag"
    )


def test_a_repository_that_does_not_exist_is_named(local: LocalService) -> None:
    image = registry.local_image(local.deployment, _reference(local, "v1").replace("/atlantis:", "/nothing:"))
    assert image is not None
    assert not registry.push(local.deployment, image, "v1")
    with pytest.raises(TaskStartError, match=r"CannotPullContainerError: nothing:v1: RepositoryNotFoundException: "):
        registry.pull(local.deployment, image, "X86_64", local.deployment.client("ecr", ROOT), "root")


@pytest.mark.parametrize("lacking", ["ecr:GetAuthorizationToken", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"])
def test_each_right_that_the_execution_role_lacks_is_named(pushed: LocalService, lacking: str) -> None:
    actions = {"ecr:GetAuthorizationToken", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"} - {lacking}
    name = f"without-{lacking.partition(':')[2]}"
    client = pushed.aws.client("iam")
    role = client.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    statement = {"Effect": "Allow", "Action": sorted(actions), "Resource": "*"}
    client.put_role_policy(
        RoleName=name, PolicyName="pull", PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )
    said = _refusal(pushed, build.version(), role=role)
    assert said.startswith(f"CannotPullContainerError: atlantis:{build.version()}: the execution role {name} may not (")
    assert lacking in said.partition("): it needs")[0]


@pytest.mark.parametrize(
    "reference",
    [
        "ghcr.io/runatlantis/atlantis:v0.47.1",
        "210987654321.dkr.ecr.ap-northeast-2.amazonaws.com/atlantis:v0.47.1",
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com/atlantis:v0.47.1",
    ],
)
def test_an_image_of_another_registry_can_not_be_looked_at(local: LocalService, reference: str) -> None:
    assert registry.local_image(local.deployment, reference) is None


def test_a_digest_is_pulled_and_never_pushed(pushed: LocalService) -> None:
    digest = _pull(pushed, build.version())
    image = registry.local_image(pushed.deployment, _reference(pushed, f"v0.1.0@{digest}"))
    assert image is not None
    assert not registry.push(pushed.deployment, image, "v0.1.0")
    assert registry.pull(pushed.deployment, image, "X86_64", pushed.deployment.client("ecr", ROOT), "root") == digest
