"""Rehearses a repository: a first run in which every call is allowed, and a second one with the least-privilege roles of the first."""

import contextlib
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from sandbox.atlantis.terraform_roles import TerraformRoles
from sandbox.pull_requests import PullRequests
from sandbox.repository_rehearsal import copied_tree, module_sources, providers
from sandbox.repository_rehearsal.applied_project import AppliedProject
from sandbox.repository_rehearsal.decisions import DecisionLog, distinct
from sandbox.repository_rehearsal.project_roles import Roles, roles_of
from sandbox.repository_rehearsal.trial import Project, Step, Trial, commits_of
from sandbox.testbed import console, locks
from sandbox.testbed.containers.deployed_service import DeployedService
from sandbox.testbed.errors import SandboxError
from sandbox.testbed.iam_evaluation.evaluator import Document, Evaluator
from sandbox.testbed.iam_evaluation.trial_policies import EVERYTHING, TrialPolicies
from sandbox.testbed.local_aws import instance


@dataclass(frozen=True)
class Wanted:
    """What to rehearse.

    Attributes:
        source: a git repository or a folder.
        only: the project's folder in it, or an empty string for all projects.
        base: the branch that the pull request merges into; empty: the pull request adds everything.
        apply: whether to apply, plan again and destroy, and to check the roles by a second run.
        download: whether to download providers that this machine lacks.
        seconds: how long to wait for a comment.
    """

    source: Path
    only: str = ""
    base: str = ""
    apply: bool = False
    seconds: float = 900
    download: bool = False


@dataclass
class Run:
    """The steps of the two runs. ``checked`` is empty if nothing was applied, or if the first run failed."""

    modules: list[str]
    steps: list[Step] = field(default_factory=list)
    checked: list[Step] = field(default_factory=list)
    roles: dict[Project, Roles] = field(default_factory=dict)

    @property
    def projects(self) -> list[Project]:
        """The projects that Atlantis found."""
        return list(dict.fromkeys(step.project for step in self.steps))

    def problems(self) -> list[str]:
        """Why the repository doesn't plan and apply as it is; empty if it does."""
        found = []
        for run, steps in (("", self.steps), (" with the least-privilege roles", self.checked)):
            for step in steps:
                where = f"{step.verb} of {step.project.directory}{run}"
                # An update only shows further permissions. The report has its failure.
                if step.failed and step.verb != "update":
                    found.append(f"{where} failed: {step.stopped_by}")
                if step.verb == "plan again" and not step.failed and not step.changes_nothing:
                    changed = ", ".join(step.changes or ())
                    found.append(f"{where} has changes: {step.result} ({changed or 'outputs'})")
                if run:
                    found += [
                        f"{where}: {call.action} on {call.resource} was denied"
                        for call in distinct(step.calls)
                        if call.refused
                    ]
        return found


def rehearse(requests: PullRequests, wanted: Wanted, *, only_roles: Mapping[Project, Roles] | None = None) -> Run:
    """Run the repository through the deployed Atlantis. With ``only_roles``, only the run that checks these roles."""
    deployment = requests.deployment
    directory = deployment.state / instance.NAME
    roles = TerraformRoles.of(deployment)
    if roles.by_repository:
        raise SandboxError(
            f"{wanted.source.name} can't be rehearsed while the stack's setting repositoryRoles is set, because a rehearsal "
            "tries policies on the stack's own roles only. Rehearse in a stack without it"
        )
    with (
        locks.one_run(deployment.state, "rehearse"),
        tempfile.TemporaryDirectory() as temporary,
        contextlib.ExitStack() as undo,
    ):
        commits, modules = _commits(wanted, Path(temporary))
        undo.enter_context(providers.vendored(commits))
        if wanted.download:
            providers.download(_projects(wanted, commits))
        for place in copied_tree.state_places(commits):
            undo.enter_context(_state_place(deployment, place))
        undo.callback(TrialPolicies.remove, directory)
        run = Run(modules)
        runner = _Runner(requests, wanted, commits, directory, roles)
        if only_roles is None:
            run.steps = runner.run(None)
            with Evaluator() as evaluator:
                run.roles = {
                    project: roles_of(project, run.steps, roles, evaluator, runner.states.get(project, {}))
                    for project in run.projects
                }
        else:
            run.roles = dict(only_roles)
        if only_roles or (wanted.apply and not run.problems()):
            console.step("Checking the roles: the same again, with exactly these policies")
            run.checked = runner.run(run.roles)
        return run


class _Runner:
    def __init__(
        self, requests: PullRequests, wanted: Wanted, commits: Path, directory: Path, roles: TerraformRoles
    ) -> None:
        self._requests, self._wanted, self._commits = requests, wanted, commits
        self._directory, self._roles = directory, roles
        self.states: dict[Project, Mapping[str, Any]] = {}
        """Terraform's states after the applies of the last run."""

    def run(self, tried: Mapping[Project, Roles] | None) -> list[Step]:
        """Open a pull request, plan and apply it, change and destroy what it made, and merge it.

        Without policies that are ``tried``, every call is allowed.
        """
        name = re.sub(r"[^A-Za-z0-9_.-]", "-", self._wanted.source.name)
        repository = self._requests.repository(f"rehearse-{name}-{int(time.time())}")
        log = DecisionLog(self._directory, self._roles.names.values())
        title = f"Rehearse {name}"
        self._enforce("plan", list(tried.values()) if tried else None)
        trial = Trial.open(self._requests, repository, self._commits, title, log=log, seconds=self._wanted.seconds)
        steps: list[Step] = []
        applied: list[Project] = []
        try:
            steps += trial.plan_all()
            if self._wanted.apply and not any(step.failed for step in steps):
                trial.approve()
                for project in trial.projects:
                    # Whatever an apply made before it failed is destroyed as well.
                    applied.append(project)
                    self._enforce("apply", [tried[project]] if tried else None)
                    steps.append(trial.command(project, "apply"))
                    if steps[-1].failed:
                        break
                    self._enforce("plan", [tried[project]] if tried else None)
                    steps.append(trial.command(project, "plan again"))
        finally:
            with tempfile.TemporaryDirectory() as temporary:
                for number, project in enumerate(reversed(applied)):
                    self._enforce("apply", [tried[project]] if tried else None)
                    steps += self._changes(trial, project, Path(temporary) / str(number))
            trial.end(merge=bool(applied))
        return steps

    def _changes(self, trial: Trial, project: Project, copy: Path) -> Iterator[Step]:
        deployment = self._requests.deployment
        applied = AppliedProject(
            deployment,
            trial.pull,
            directory=project.directory,
            workspace=project.workspace,
            credentials=self._roles.session(deployment),
            copy=copy,
        )
        self.states[project] = applied.state()
        for verb in ("update", "destroy"):
            yield trial.change(project, applied, verb)

    def _enforce(self, verb: str, tried: Sequence[Roles] | None) -> None:
        """Try the policies on both roles. If they are the same role, it has the policies for ``verb`` (plan or apply)."""
        policies = {
            kind: {"everything": EVERYTHING} if tried is None else _merged(tried, kind) for kind in ("plan", "apply")
        }
        names = self._roles.names
        order = sorted(policies, key=lambda kind: kind == verb)
        TrialPolicies({names[kind]: policies[kind] for kind in order}).write(self._directory)


def _merged(roles: Sequence[Roles], kind: str) -> dict[str, Document]:
    documents = (item.plan if kind == "plan" else item.apply for item in roles)
    return {name: document for group in documents for name, document in group.items()}


def _commits(wanted: Wanted, temporary: Path) -> tuple[Path, list[str]]:
    modules: list[str] = []

    def tree(revision: str, target: Path) -> None:
        staged = temporary / f"tree-{len(list(temporary.iterdir()))}"
        copied_tree.copy_of(wanted.source, revision, staged)
        if wanted.only and not (staged / wanted.only).is_dir():
            raise SandboxError(f"DIR={wanted.only} is not a committed folder of {wanted.source}")
        modules.extend(_resolve_modules(wanted, staged))
        shutil.copytree(staged, target, symlinks=True, dirs_exist_ok=True)

    if wanted.base and not copied_tree.is_repository(wanted.source):
        raise SandboxError(f"BASE={wanted.base} needs a git repository, and {wanted.source} isn't one")
    base = (lambda target: tree(wanted.base, target)) if wanted.base else None
    commits = commits_of(temporary / "commits", base, lambda target: tree("HEAD", target), wanted.only)
    return commits, list(dict.fromkeys(modules))


def _projects(wanted: Wanted, tree: Path) -> list[Path]:
    """The folders with a configuration. What is below `modules` isn't a project for Atlantis; projects call it."""
    directories = sorted({file.parent for file in tree.rglob("*.tf")})
    paths = {directory: directory.relative_to(tree) for directory in directories}
    return [
        directory
        for directory, path in paths.items()
        if "modules" not in path.parts and (not wanted.only or path == Path(wanted.only))
    ]


def _resolve_modules(wanted: Wanted, tree: Path) -> Iterator[str]:
    for directory in _projects(wanted, tree):
        path = directory.relative_to(tree)
        for resolved in module_sources.resolve(directory, wanted.source / path):
            yield f"{path}: {resolved}"


@contextlib.contextmanager
def _state_place(deployment: DeployedService, place: Mapping[str, str]) -> Iterator[None]:
    """Create a backend's bucket and lock table in its region for the rehearsal, unless they exist."""
    region = place.get("region") or deployment.region
    s3, tables = deployment.client("s3", region=region), deployment.client("dynamodb", region=region)
    bucket, table = place.get("bucket"), place.get("dynamodb_table")
    if not bucket:
        raise SandboxError("A backend s3 has no literal bucket; set one in the configuration, for the rehearsal")
    # This one region isn't allowed there.
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    made = _made(lambda: s3.create_bucket(Bucket=bucket, **where))
    made_table = bool(table) and _made(
        lambda: tables.create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "LockID", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "LockID", "AttributeType": "S"}],
        )
    )
    try:
        yield
    finally:
        if made:
            for item in s3.list_objects_v2(Bucket=bucket).get("Contents", []):
                s3.delete_object(Bucket=bucket, Key=item["Key"])
            s3.delete_bucket(Bucket=bucket)
        if made_table:
            tables.delete_table(TableName=table)


def _made(create: Any) -> bool:
    try:
        create()
    except ClientError as error:
        if error.response["Error"]["Code"] in (
            "BucketAlreadyOwnedByYou",
            "BucketAlreadyExists",
            "ResourceInUseException",
        ):
            return False
        raise
    return True
