"""The copy of a repository that is rehearsed: committed files, submodules, cached modules, and what is refused."""

import json
import subprocess
from pathlib import Path

import pytest

from sandbox.repository_rehearsal import copied_tree, module_sources
from sandbox.repository_rehearsal.trial import commits_of
from sandbox.testbed.errors import SandboxError

REGISTRY = 'module "queue" {\n  source  = "terraform-aws-modules/sqs/aws"\n  version = "4.3.1"\n\n  name = "a"\n}\n'


def git(directory: Path, *arguments: str) -> str:
    identity = (
        "-c",
        "user.name=Somebody",
        "-c",
        "user.email=somebody@example.invalid",
        "-c",
        "protocol.file.allow=always",
    )
    done = subprocess.run(["git", *identity, *arguments], cwd=directory, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def repository(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    git(folder, "init", "--quiet", "--initial-branch=main")
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "First")
    return folder


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file() and ".git" not in path.parts}


def test_the_committed_tree_is_copied_without_lock_files(tmp_path: Path):
    source = repository(tmp_path / "team", {"a/main.tf": "# committed\n", "a/.terraform.lock.hcl": ""})
    (source / "a" / "main.tf").write_text("# not committed\n", encoding="utf-8")
    (source / "b.tf").write_text("", encoding="utf-8")
    copied_tree.copy_of(source, "HEAD", tmp_path / "copy")
    assert names(tmp_path / "copy") == {"a/main.tf"}
    assert (tmp_path / "copy" / "a" / "main.tf").read_text("utf-8") == "# committed\n"


@pytest.mark.parametrize("committed", [True, False])
def test_a_link_that_leads_out_of_the_repository_is_left_out(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], *, committed: bool
):
    source = tmp_path / "team"
    source.mkdir()
    (source / "absolute.tf").symlink_to("/etc/hostname")
    (source / "above.tf").symlink_to("../../main.tf")
    (source / "inside.tf").symlink_to("main.tf")
    if committed:
        repository(source, {"main.tf": "# team"})
    else:
        (source / "main.tf").write_text("# team", encoding="utf-8")
    copied_tree.copy_of(source, "HEAD", tmp_path / "copy")
    assert names(tmp_path / "copy") == {"main.tf", "inside.tf"}
    assert "the link absolute.tf leads out of the repository, to /etc/hostname" in capfd.readouterr().err


def test_a_submodule_is_copied_or_named(tmp_path: Path):
    shared = repository(tmp_path / "shared", {"main.tf": ""})
    source = repository(tmp_path / "team", {"main.tf": ""})
    git(source, "submodule", "--quiet", "add", str(shared), "modules/shared")
    git(source, "commit", "--quiet", "-m", "Share")
    copied_tree.copy_of(source, "HEAD", tmp_path / "copy")
    assert "modules/shared/main.tf" in names(tmp_path / "copy")
    git(source, "submodule", "--quiet", "deinit", "--force", "modules/shared")
    with pytest.raises(
        SandboxError, match=r"submodule modules/shared of .* `git submodule update --init modules/shared`"
    ):
        copied_tree.copy_of(source, "HEAD", tmp_path / "other")


def test_a_revision_that_does_not_exist_is_refused(tmp_path: Path):
    source = repository(tmp_path / "team", {"main.tf": ""})
    with pytest.raises(SandboxError, match="no-such-branch"):
        copied_tree.copy_of(source, "no-such-branch", tmp_path / "copy")


def test_a_module_comes_from_the_cache_of_terraform_init(tmp_path: Path):
    original = tmp_path / "team"
    package = original / ".terraform" / "modules" / "queue"
    (package / "modules" / "inner").mkdir(parents=True)
    (package / "main.tf").write_text('module "inner" {\n  source = "./modules/inner"\n}\n', encoding="utf-8")
    (package / "modules" / "inner" / "main.tf").write_text("", encoding="utf-8")
    manifest = {"Modules": [{"Key": "", "Dir": "."}, {"Key": "queue", "Dir": ".terraform/modules/queue"}]}
    (original / ".terraform" / "modules" / "modules.json").write_text(json.dumps(manifest), encoding="utf-8")
    project = tmp_path / "copy"
    project.mkdir()
    (project / "main.tf").write_text(REGISTRY, encoding="utf-8")

    assert module_sources.resolve(project, original) == ["queue: terraform-aws-modules/sqs/aws"]

    text = (project / "main.tf").read_text("utf-8")
    assert 'source  = "./.rehearsed/modules/queue"' in text
    assert "version" not in text
    assert 'name = "a"' in text
    assert (project / ".rehearsed" / "modules" / "queue" / "modules" / "inner" / "main.tf").is_file()


def test_modules_that_are_not_cached_are_named_with_what_to_do(tmp_path: Path):
    local = tmp_path / "modules" / "own"
    local.mkdir(parents=True)
    (local / "main.tf").write_text(
        'module "flow" {\n  source = "git::https://github.com/example/flow.git"\n}\n', encoding="utf-8"
    )
    project = tmp_path / "live"
    project.mkdir()
    (project / "main.tf").write_text(REGISTRY + '\nmodule "own" {\n  source = "../modules/own"\n}\n', encoding="utf-8")
    with pytest.raises(SandboxError) as error:
        module_sources.resolve(project, project)
    for text in (
        "queue: terraform-aws-modules/sqs/aws",
        "own.flow: git::https://",
        "terraform init",
        "./modules/<name>",
    ):
        assert text in str(error.value)


def test_the_pull_request_adds_one_folder_or_everything_or_a_difference(tmp_path: Path):
    def tree(target: Path) -> None:
        for name in ("a/main.tf", "b/main.tf"):
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_text("", encoding="utf-8")

    def older(target: Path) -> None:
        (target / "b").mkdir()
        (target / "b" / "main.tf").write_text("", encoding="utf-8")
        (target / "removed.tf").write_text("", encoding="utf-8")

    def changes(commits: Path) -> set[str]:
        return set(git(commits, "diff", "--no-renames", "--name-status", "base", "change").splitlines())

    assert changes(commits_of(tmp_path / "1", None, tree)) == {"A\ta/main.tf", "A\tb/main.tf"}
    assert changes(commits_of(tmp_path / "2", None, tree, "a")) == {"A\ta/main.tf"}
    assert changes(commits_of(tmp_path / "3", older, tree)) == {"A\ta/main.tf", "D\tremoved.tf"}


def test_backends_are_found_and_unsupported_ones_refused(tmp_path: Path):
    (tmp_path / "main.tf").write_text(
        'terraform {\n  backend "s3" {\n    bucket = "states"\n    key = "a"\n    dynamodb_table = "locks"\n  }\n}\n',
        encoding="utf-8",
    )
    assert copied_tree.state_places(tmp_path) == [{"bucket": "states", "key": "a", "dynamodb_table": "locks"}]
    (tmp_path / "other.tf").write_text('terraform {\n  backend "gcs" {\n  }\n}\n', encoding="utf-8")
    with pytest.raises(SandboxError, match=r"other\.tf keeps its state in a backend gcs"):
        copied_tree.state_places(tmp_path)
