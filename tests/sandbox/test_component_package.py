"""The components as a package of Pulumi: a program that has nothing of this repository but the plugin's folder deploys Atlantis."""

from pathlib import Path

import pytest

from sandbox.engine.stack import EngineError
from sandbox.paths import CHECKOUT
from sandbox.sandbox import Sandbox
from tests.sandbox.harness import Ground

PROJECT = f"""
name: platform
runtime: {{name: python, options: {{virtualenv: {CHECKOUT / ".venv"}}}}}
plugins:
  providers:
    - name: atlantis
      path: {CHECKOUT / "components"}
"""
PROGRAM = """
import pulumi


class Atlantis(pulumi.ComponentResource):
    def __init__(self, name, properties):
        outputs = {"url": None, "ecsServiceName": None}
        super().__init__("atlantis:index:Atlantis", name, properties | outputs, None, remote=True)

    @property
    @pulumi.getter
    def url(self):
        return pulumi.get(self, "url")

    @property
    @pulumi.getter(name="ecsServiceName")
    def ecs_service_name(self):
        return pulumi.get(self, "ecsServiceName")


atlantis = Atlantis(
    "platform",
    {
        "environment": "tools",
        "ingress": {
            "url": "https://atlantis.example.com",
            "allowedCidrBlocks": %s,
            "acmCertificateArn": "arn:aws:acm:ap-northeast-2:123456789012:certificate/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9",
        },
        "server": {"repoAllowlist": "github.com/example-organization/*"},
        "task": {"cpu": 1024, "memory": 2048, "image": "ghcr.io/runatlantis/atlantis:v0.47.1"},
        "operations": {"deletionProtection": False},
    },
)
pulumi.export("url", atlantis.url)
pulumi.export("service", atlantis.ecs_service_name)
"""


def foreign(ground: Ground, folder: Path, *, allowed: str = '["203.0.113.0/24"]') -> Sandbox:
    """The sandbox of a program of somebody else's."""
    program = folder / "program"
    program.mkdir()
    (program / "Pulumi.yaml").write_text(PROJECT, encoding="utf-8")
    (program / "Pulumi.local.yaml").write_text("config: {'aws:region': ap-northeast-2}\n", encoding="utf-8")
    (program / "__main__.py").write_text(PROGRAM % allowed, encoding="utf-8")
    return Sandbox(state=ground.state, program=program, policy_pack=None, run_atlantis=False)


def test_a_foreign_program_deploys_atlantis(ground: Ground, tmp_path: Path):
    sandbox = foreign(ground, tmp_path)

    sandbox.up()

    assert sandbox.outputs() == {"url": "https://atlantis.example.com", "service": "atlantis-tools"}
    types = [item["type"] for item in sandbox.resources()]
    assert types.count("aws:ecs/service:Service") == 1
    names = {item["urn"].rsplit("::", 1)[-1] for item in sandbox.resources() if item["type"].startswith("atlantis:")}
    assert {"platform", "platform-network", "platform-storage", "platform-compute"} <= names
    assert sandbox.compare().describe() == ""


def test_wrong_arguments_end_the_run_before_anything_is_created(
    ground: Ground, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    sandbox = foreign(ground, tmp_path, allowed='["0.0.0.0/0"]')

    with pytest.raises(EngineError):
        sandbox.up()

    shown = capfd.readouterr()
    assert "allowedCidrBlocks = ['0.0.0.0/0']: opens the server to the internet" in shown.out + shown.err
    assert [item["type"] for item in sandbox.resources() if item["type"].startswith("aws:")] == []
