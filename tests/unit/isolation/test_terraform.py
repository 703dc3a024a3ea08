"""The real Terraform through the shims: plan and apply, what an apply refuses, and the lock of an interrupted one."""

import json
import shutil
import signal
import stat
import subprocess
import zipfile
from collections.abc import Iterator
from email.message import Message
from pathlib import Path
from typing import Any

import pytest

from tests.unit.isolation.answering import Answering
from tests.unit.isolation.containers import CHECKOUT, Containers, eventually

pytestmark = pytest.mark.skipif(shutil.which("terraform") is None, reason="needs terraform")

MAIN = """
variable "wait" {
  type    = number
  default = 0
}
resource "terraform_data" "one" {
  input = "one"
  provisioner "local-exec" { command = "sleep ${var.wait}; id -u" }
}
module "inner" { source = "../modules/inner" }
"""


class StateServer(Answering):
    """One state for Terraform's backend `http`, and its lock."""

    def __init__(self) -> None:
        self.state: bytes = b""
        self.lock: dict[str, Any] | None = None
        self.locked = 0
        super().__init__()

    @property
    def backend(self) -> str:
        names = ("address", "lock_address", "unlock_address")
        addresses = "".join(f'    {name} = "{self.url}/state"\n' for name in names)
        return f'terraform {{\n  backend "http" {{\n{addresses}  }}\n}}\n'

    def answer(self, method: str, path: str, headers: Message, body: bytes) -> tuple[int, bytes]:  # noqa: ARG002
        match method:
            case "GET":
                return 200 if self.state else 404, self.state
            case "POST":
                self.state = body
            case "LOCK" if self.lock:
                return 423, json.dumps(self.lock).encode()
            case "LOCK":
                self.lock, self.locked = json.loads(body), self.locked + 1
            case _:
                self.lock = None
        return 200, b""


@pytest.fixture
def state() -> Iterator[StateServer]:
    server = StateServer()
    yield server
    server.close()


@pytest.fixture
def project(containers: Containers, state: StateServer) -> Containers:
    containers.write("project/main.tf", state.backend + MAIN)
    containers.write("modules/inner/main.tf", 'resource "terraform_data" "inner" { input = "inner" }\n')
    return containers


def terraform(containers: Containers, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    return containers.run("terraform", *arguments, directory="project", environment=environment)


def plan_path(containers: Containers) -> Path:
    return containers.checkout / "project" / "default.tfplan"


def planned(containers: Containers, *arguments: str) -> Path:
    done = terraform(containers, "init", "-input=false", "-upgrade")
    assert done.returncode == 0, done.stdout + done.stderr
    path = plan_path(containers)
    done = terraform(containers, "plan", "-input=false", "-refresh", "-out", str(path), *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 to add" in done.stdout
    return path


def applied(containers: Containers) -> "subprocess.CompletedProcess[str]":
    return terraform(containers, "apply", "-input=false", str(plan_path(containers)))


def test_a_plan_is_applied_in_the_other_container_and_only_the_plan_file_comes_back(
    project: Containers, state: StateServer
) -> None:
    before = {path for path in project.checkout.rglob("*") if path.is_file()}
    path = planned(project)
    made = {path for path in project.checkout.rglob("*") if path.is_file()} - before
    assert made == {path}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    shown = terraform(project, "show", "-json", str(path))
    assert len(json.loads(shown.stdout)["resource_changes"]) == 2
    done = applied(project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Apply complete! Resources: 2 added" in done.stdout
    assert len(json.loads(state.state)["resources"]) == 2
    assert state.lock is None
    assert [name for _, name in project.sessions] == [
        f"{command}.my-organization.infrastructure.7" for command in ("init", "plan", "show", "apply")
    ]


@pytest.mark.parametrize(
    ("arguments", "removed", "code"),
    [((), False, 1), ((), True, 0), (("-reconfigure",), False, 0)],
    ids=["neither", "rm -rf .terraform", "-reconfigure"],
)
def test_a_changed_backend_is_configured_again_as_upstream(
    project: Containers, state: StateServer, arguments: tuple[str, ...], removed: bool, code: int
) -> None:
    assert terraform(project, "init", "-input=false").returncode == 0
    providers = project.work("plan") / CHECKOUT / "project" / ".terraform" / "providers"
    uid = providers.parent.stat().st_uid
    (providers / "x").mkdir(parents=True)
    subprocess.run(["chown", "-R", f"{uid}:{uid}", providers], check=True)
    project.write("project/main.tf", state.backend.replace("/state", "/other") + MAIN)
    if removed:
        (project.checkout / "project" / ".terraform").rmdir()
    done = terraform(project, "init", "-input=false", *arguments)
    assert done.returncode == code, done.stdout + done.stderr
    assert ("Backend configuration changed" in done.stderr) is bool(code)
    assert (providers / "x").exists()


def test_init_gives_the_lock_file_back_and_the_apply_must_not_change_it(project: Containers) -> None:
    project.program(
        "terraform",
        'case "$1" in init) echo "init $*" >>$HOME/calls; echo locked >.terraform.lock.hcl; mkdir -p .terraform;'
        """ echo '{"backend": {"type": "s3"}}' >.terraform/terraform.tfstate ;;"""
        " apply) cat $HOME/calls ;; plan) cp stored.zip default.tfplan ;; esac",
    )
    project.write("project/stored.zip", "not a plan")
    lock_file = project.checkout / "project" / ".terraform.lock.hcl"
    assert terraform(project, "init", "-input=false", "-upgrade", "-backend-config=x.hcl").returncode == 0
    assert lock_file.read_text() == "locked\n"
    done = terraform(project, "import", "a.b", "c")
    assert done.returncode == 0, done.stderr
    done = project.run("run-in-apply", "--plan-file", "default.tfplan", "--", "terraform", "apply", directory="project")
    assert "wasn't made by a plan" in done.stderr or "No such file" in done.stderr
    calls = next(project.state("apply").glob("home/*/calls")).read_text()
    assert calls == "init init -input=false -backend-config=x.hcl -lockfile=readonly\n"


def test_an_apply_works_after_all_containers_were_replaced(project: Containers) -> None:
    planned(project)
    for role in ("plan", "apply"):
        project.stop(role)
        shutil.rmtree(project.work(role))
        shutil.rmtree(project.state(role))
        project.start(role)
    assert terraform(project, "workspace", "show").stdout == "default\n"
    assert terraform(project, "show", "-json", str(plan_path(project))).returncode == 0
    done = applied(project)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_changed_plan_file_is_refused(project: Containers, state: StateServer) -> None:
    path = planned(project)
    path.write_bytes(path.read_bytes() + b"\0")
    done = applied(project)
    assert done.returncode == 1
    assert "isn't the plan that was made" in done.stderr
    assert state.state == b""


def test_a_plan_file_that_no_plan_made_is_refused(project: Containers) -> None:
    path = planned(project)
    shutil.rmtree(project.data / "isolation")
    assert "wasn't made by a plan in this checkout" in applied(project).stderr
    path.write_text("Atlantis: this plan was created by remote ops\n")
    assert "wasn't made by a plan in this checkout" in applied(project).stderr


def test_a_plan_that_failed_leaves_none_to_apply(project: Containers) -> None:
    planned(project)
    project.write("project/broken.tf", 'resource "terraform_data" "three" { input = var.none }\n')
    assert terraform(project, "plan", "-out", str(plan_path(project))).returncode == 1
    assert "wasn't made by a plan in this checkout" in applied(project).stderr


def test_a_plan_of_another_configuration_than_the_checkouts_is_refused(project: Containers) -> None:
    real = shutil.which("terraform", path="/usr/local/bin:/usr/bin:/bin")
    terraform(project, "init", "-input=false")
    # A file that a step before has left in the copy becomes part of the plan.
    script = f'echo \'resource "terraform_data" "more" {{}}\' >planted.tf; exec {real} "$@"'
    project.program("terraform", f'case "$1" in plan) {script} ;; *) exec {real} "$@" ;; esac')
    done = terraform(project, "plan", "-out", str(plan_path(project)))
    assert done.returncode == 1
    assert "the plan file project/default.tfplan isn't accepted: its configuration has" in done.stderr
    assert not plan_path(project).exists()
    assert applied(project).returncode == 1


def test_what_a_job_leaves_in_the_copy_does_not_reach_a_later_plan(project: Containers) -> None:
    terraform(project, "init", "-input=false")
    planted = project.work("plan") / CHECKOUT / "project" / "planted.tf"
    planted.write_text('resource "terraform_data" "more" {}\n')
    done = terraform(project, "plan", "-out", str(plan_path(project)))
    assert done.returncode == 0, done.stderr
    assert "2 to add" in done.stdout
    assert not planted.exists()


def test_code_that_runs_in_the_applys_init_cannot_change_what_is_applied(
    project: Containers, state: StateServer
) -> None:
    real = shutil.which("terraform", path="/usr/local/bin:/usr/bin:/bin")
    planned(project)
    project.program(
        "terraform",
        f'case "$1" in init) echo forged >default.tfplan; {real} "$@" ;;'
        f' *) for last; do :; done; ls -l "$last"; echo x >>"$last"; exec {real} "$@" ;; esac',
    )
    done = applied(project)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "-rw-r----- 1 root" in done.stdout
    assert "Permission denied" in done.stderr
    assert len(json.loads(state.state)["resources"]) == 2


@pytest.mark.parametrize("link", ["main.tf", "directory"])
def test_configuration_may_be_a_link_into_the_checkout(project: Containers, link: str) -> None:
    if link == "main.tf":
        project.write("shared/common.tf", 'resource "terraform_data" "common" {}\n')
        (project.checkout / "project" / "common.tf").symlink_to("../shared/common.tf")
        expected = "3 to add"
    else:
        (project.checkout / "modules" / "inner").rename(project.checkout / "modules" / "real")
        (project.checkout / "modules" / "inner").symlink_to("real")
        expected = "2 to add"
    terraform(project, "init", "-input=false")
    done = terraform(project, "plan", "-out", str(plan_path(project)))
    assert done.returncode == 0, done.stdout + done.stderr
    assert expected in done.stdout
    assert applied(project).returncode == 0


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL, None], ids=["interrupted", "killed", "task stopped"])
def test_an_apply_that_is_ended_releases_the_states_lock(
    project: Containers, state: StateServer, number: int | None
) -> None:
    project.write("project/default.auto.tfvars", "wait = 30\n")
    planned(project)
    process = project.popen("terraform", "apply", "-input=false", str(plan_path(project)), directory="project")
    eventually(lambda: state.lock is not None and state.locked == 2)
    if number is None:
        project.stop("apply")
    else:
        process.send_signal(number)
    process.communicate(timeout=60)
    eventually(lambda: state.lock is None)


def test_another_workspace_is_used_without_selecting_it(containers: Containers) -> None:
    other = containers.checkout.with_name("staging")
    containers.checkout.rename(other)
    containers.checkout = other
    containers.program("terraform", 'echo "${TF_WORKSPACE:-none}"')
    assert containers.run("terraform", "fmt", environment={"WORKSPACE": "staging"}).stdout == "staging\n"
    assert containers.run("terraform", "workspace", "show", environment={"WORKSPACE": "staging"}).stdout == "staging\n"
    refused = containers.run("terraform", "workspace", "new", "staging")
    assert refused.returncode == 1
    assert "create a new workspace once with your own credentials" in refused.stderr


def test_a_tool_that_generates_configuration_plans_and_applies_through_the_named_file(project: Containers) -> None:
    real = shutil.which("terraform", path="/usr/local/bin:/usr/bin:/bin")
    project.program(
        "wrapper",
        f'echo \'resource "terraform_data" "generated" {{}}\' >generated.tf; {real} init -input=false >/dev/null; exec {real} "$@"',
    )
    path = str(plan_path(project))
    arguments = ("--plan-file", path, "--", "wrapper", "plan", f"-out={path}")
    refused = project.run("run-in-plan", *arguments, directory="project")
    assert "its configuration has project/generated.tf" in refused.stderr
    done = project.run("run-in-plan", "--generated-configuration", *arguments, directory="project")
    assert done.returncode == 0, done.stderr
    done = project.run("run-in-apply", "--plan-file", path, "--", "wrapper", "apply", path, directory="project")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3 added" in done.stdout
    assert project.run("run-in-apply", "--", "wrapper", directory="project").returncode == 1


@pytest.mark.parametrize("backend", ["", 'terraform {\n  backend "local" { path = "kept.tfstate" }\n}\n'])
def test_a_local_state_is_named_by_the_plan_and_refused_by_the_apply(project: Containers, backend: str) -> None:
    project.write("project/main.tf", f'{backend}{MAIN}resource "terraform_data" "made" {{\n  input = 1\n}}\n')
    assert terraform(project, "init", "-input=false").returncode == 0
    path = plan_path(project)
    done = terraform(project, "plan", "-input=false", "-out", str(path))
    assert done.returncode == 0, done.stderr
    assert "This plan can't be applied: project has a local state" in done.stderr
    for done in (applied(project), terraform(project, "import", "terraform_data.made", "1")):
        assert done.returncode == 1
        assert "nothing was changed: project has a local state" in done.stderr
        assert 'backend "s3"' in done.stderr
    kept = {path.parent.name for path in project.work("apply").rglob("*.tfstate")}
    assert kept <= {".terraform"}, "the settings of the backend, and no state"


def test_the_provider_files_of_an_earlier_apply_are_kept_and_nothing_else(project: Containers) -> None:
    planned(project)
    work = project.work("apply") / CHECKOUT / "project"
    assert applied(project).returncode == 0
    uid = work.stat().st_uid
    for path in (".terraform/providers/x/file", ".terraform/modules/y/main.tf"):
        (work / path).parent.mkdir(parents=True, exist_ok=True)
        (work / path).write_text("")
    subprocess.run(["chown", "-R", f"{uid}:{uid}", work], check=True)
    terraform(project, "plan", "-out", str(plan_path(project)))
    assert applied(project).returncode == 0
    assert (work / ".terraform/providers/x/file").exists()
    assert not (work / ".terraform/modules/y").exists()
    assert list((project.state("apply") / "plans").iterdir()) == []
    assert zipfile.is_zipfile(plan_path(project))
