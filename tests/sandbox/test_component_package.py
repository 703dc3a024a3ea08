"""The components as a Pulumi package: programs that have nothing of this repository but the plugin's folder deploy Atlantis."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from components.__main__ import VERSION
from sandbox.sandbox import Sandbox
from sandbox.testbed import npm
from sandbox.testbed.engine import installation, plugins
from sandbox.testbed.engine.stack import EngineError
from sandbox.testbed.engine.workspace import Workspace
from sandbox.testbed.github.app import AUTHOR
from sandbox.testbed.github.server import GitHub
from sandbox.testbed.paths import CACHE, CHECKOUT, private_directory
from tests.needs import npm_packages
from tests.sandbox.harness import Scratch, last_changes

TYPESCRIPT = npm.Packages(
    CHECKOUT / "tests" / "programs" / "atlantis_typescript", "Pulumi's SDKs for Node.js", "typescript"
)
NOT_IN_A_CLONE = shutil.ignore_patterns("__pycache__", ".venv")


def cli(folder: Path, *arguments: str, **variables: str) -> "subprocess.CompletedProcess[str]":
    """What the CLI answers in ``folder``, with a separate home."""
    workspace = Workspace(folder / "state", folder)
    private_directory(workspace.state)
    engine = installation.locate().executable
    places = [str(engine.parent), str(installation.language_host("yaml").parent), os.environ["PATH"]]
    own = workspace.environment(None) | {"PATH": os.pathsep.join(places), "PIP_CACHE_DIR": str(CACHE / "pip")}
    done = subprocess.run(
        [str(engine), *arguments], cwd=folder, env=own | variables, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The virtual environment that the CLI makes of the package when a program adds it from a git address."""
    repository, folder = "example-organization/atlantis-on-fargate", tmp_path_factory.mktemp("added") / "program"
    folder.mkdir()
    (folder / "Pulumi.yaml").write_text("name: platform\nruntime: yaml\n", encoding="utf-8")
    found = (path for path in (CHECKOUT / "components").rglob("*") if path.is_file())
    kept = [path for path in found if not {"__pycache__", ".venv"} & set(path.parts)]
    with GitHub(folder.parent / "github") as github:
        files = {str(path.relative_to(CHECKOUT)): path.read_text(encoding="utf-8") for path in kept}
        github.store.create_repository(repository, files, default_branch="main")
        (commit,) = github.store.branches(repository).values()
        cli(
            folder,
            *("package", "add", f"github.com/{repository}/components"),
            GITHUB_TOKEN="",
            GIT_USERNAME=AUTHOR,
            GIT_PASSWORD=github.author_token,
            HTTPS_PROXY=github.proxy_url,
            SSL_CERT_FILE=str(github.certificates.bundle),
            # The CLI reads this name first, and pip the other one: only pip reaches its registry.
            NO_PROXY="localhost",
            no_proxy="*",
        )
    added = yaml.safe_load((folder / "Pulumi.yaml").read_text(encoding="utf-8"))["packages"]
    assert added == {"atlantis": f"github.com/{repository}/components@{commit}"}
    (made,) = folder.rglob("components/.venv")
    return made


@pytest.fixture(scope="module")
def schema(environment: Path) -> Path:
    """The package's schema, as the CLI prints it."""
    answer = cli(environment.parent, "package", "get-schema", ".")
    schema = json.loads(answer.stdout)
    assert (schema["name"], schema["version"]) == ("atlantis", VERSION)
    assert "atlantis:index:Atlantis" in schema["resources"]
    file = environment.with_name("schema.json")
    file.write_text(answer.stdout, encoding="utf-8")
    return file


def program(language: str, folder: Path, state: Path, environment: Path, **settings: list[str]) -> Sandbox:
    """The sandbox of a program of somebody else's, in a folder that has the component package next to it and nothing else."""
    package, own = folder / "components", folder / "tests" / "programs" / f"atlantis_{language}"
    for target in (package, own):
        shutil.copytree(CHECKOUT / target.relative_to(folder), target, ignore=NOT_IN_A_CLONE)
    (package / ".venv").symlink_to(environment)
    chosen = {f"platform:{key}": value for key, value in settings.items()}
    return Sandbox(
        "dev", state=state, program=own, settings=chosen, policy_pack=None, run_atlantis=False, disposable=True
    )


def changes(sandbox: Sandbox) -> dict[str, str]:
    """What the program would change in the stack, by URN; its language decides only how default providers are named."""
    found = {step["urn"]: step["op"] for step in sandbox.steps() if "pulumi:providers:" not in step["urn"]}
    return {urn: operation for urn, operation in found.items() if operation != "same"}


@pytest.fixture(scope="module")
def outputs(environment: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """The Python program, deployed; it passes outputs."""
    scratch = Scratch(tmp_path_factory.mktemp("outputs"), "dev")
    sandbox = program("outputs", tmp_path_factory.mktemp("foreign"), scratch.state, environment)
    sandbox.up()
    yield sandbox
    scratch.stop()


def test_a_foreign_program_deploys_atlantis_with_outputs_of_its_resources(outputs: Sandbox):
    """The program's VPC, certificate, zone and topics are those of the resources of `Atlantis`."""
    exported = outputs.outputs()
    assert (exported["url"], exported["service"]) == ("https://atlantis.example.com", "atlantis-tools")
    types = [item["type"] for item in outputs.resources()]
    assert types.count("aws:ecs/service:Service") == 3  # the server, and the workers of plans and of applies
    resources = {item["urn"].rsplit("::", 1)[-1]: item for item in outputs.resources()}
    found = {name: item.get("outputs", {}) for name, item in resources.items()}
    assert found["platform-ingress-targets"]["vpcId"] == exported["vpc"]
    assert found["platform-ingress-https"]["certificateArn"] == resources["certificate"]["id"]
    (record,) = [item["outputs"] for item in resources.values() if item["type"] == "aws:route53/record:Record"]
    assert record["zoneId"] == resources["zone"]["id"]
    alarms = [
        item["outputs"] for item in resources.values() if item["type"] == "aws:cloudwatch/metricAlarm:MetricAlarm"
    ]
    topics = {resources[name]["id"] for name in ("on-call", "security")}
    assert [set(alarm["alarmActions"]) for alarm in alarms] == [topics] * len(alarms)
    assert alarms
    assert {f"platform-storage-mount-target-{number}" for number in (1, 2)} <= set(resources)
    assert {"platform", "platform-network", "platform-storage", "platform-compute"} <= set(resources)
    assert "platform-vpc" not in resources
    assert outputs.compare().describe() == ""


def test_a_yaml_program_passes_the_same_outputs(outputs: Sandbox, environment: Path, tmp_path: Path):
    assert changes(program("yaml_outputs", tmp_path / "foreign", outputs.state, environment)) == {}


def test_a_typescript_program_passes_outputs_with_the_generated_sdk_whose_types_say_what_may_be_one(
    outputs: Sandbox, schema: Path, environment: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    packages = npm_packages(TYPESCRIPT)
    host = tmp_path / "hosts" / "pulumi-language-nodejs"
    host.parent.mkdir()
    plugins.write_wrapper(host, [sys.executable, "-m", "tests.sandbox.nodejs_host"])
    monkeypatch.setenv("PATH", os.pathsep.join([str(host.parent), os.environ["PATH"]]))
    sandbox = program("typescript", tmp_path / "foreign", outputs.state, environment)
    own = sandbox.workspace.program
    (own / "node_modules").symlink_to(packages / "node_modules")
    sdk = own / "sdks" / "atlantis"
    subprocess.run([str(installation.typescript_sdk()), str(schema), str(sdk)], check=True)
    compiled = subprocess.run(
        [str(npm.NODE), "node_modules/typescript/bin/tsc"], cwd=own, capture_output=True, text=True, check=False
    )
    assert (compiled.returncode, compiled.stdout) == (0, "")
    # The SDK reads its version from the package that it is compiled into.
    manifest = {
        "main": "index.js",
        "version": json.loads((sdk / "package.json").read_text(encoding="utf-8"))["version"],
    }
    (own / "build" / "sdks" / "atlantis" / "package.json").write_text(json.dumps(manifest), encoding="utf-8")

    assert changes(sandbox) == {}


def test_wrong_arguments_end_the_run_before_anything_changes(
    outputs: Sandbox, environment: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    before = last_changes(outputs)
    wrong = program("outputs", tmp_path / "foreign", outputs.state, environment, allowedCidrBlocks=["0.0.0.0/0"])

    with pytest.raises(EngineError):
        wrong.up()

    shown = capfd.readouterr()
    assert "allowedCidrBlocks = ['0.0.0.0/0']: opens the server to the internet" in shown.out + shown.err
    assert last_changes(wrong) == before
