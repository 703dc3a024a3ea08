"""Which container a call of Terraform belongs to, which calls are refused, and which variables go with one."""

from pathlib import Path

import pytest

from isolation.checkout import Checkout, CheckoutError, locate, valid_name
from isolation.commands import CommandError, parse
from isolation.remote import forwarded
from tests.tables import table

ROOT = Path("/data/repos/my-organization/infrastructure/7/default")
CHECKOUT = Checkout("my-organization/infrastructure/7/default", ROOT, "project")
PLAN = f"{ROOT}/project/default.tfplan"


@pytest.mark.parametrize(
    ("arguments", "role"),
    table(__file__, "commands"),
)
def test_each_command_belongs_to_a_container(arguments: list[str], role: str) -> None:
    command = parse(arguments, CHECKOUT)
    assert (command.role, command.arguments) == (role, arguments)


@pytest.mark.parametrize(
    ("arguments", "reason"),
    table(__file__, "refused"),
)
def test_what_would_write_without_a_plan_is_refused(arguments: list[str], reason: str) -> None:
    with pytest.raises(CommandError, match=reason):
        parse(arguments, CHECKOUT)


@pytest.mark.parametrize(
    "path", ["/data/repos/my-organization/infrastructure/8/default/x", "../../x", "..", "/etc/passwd"]
)
def test_a_plan_file_outside_of_the_checkout_is_refused(path: str) -> None:
    for arguments in (["apply", path], ["plan", "-out", path], ["plan", f"-out={path}"]):
        with pytest.raises(CheckoutError, match="outside of the checkout"):
            parse(arguments, CHECKOUT)


def test_the_plan_file_is_named_relative_to_the_checkout() -> None:
    assert parse(["plan", "-out", PLAN], CHECKOUT).plan_output == "project/default.tfplan"
    assert parse(["plan", "-out=../x.tfplan"], CHECKOUT).plan_output == "x.tfplan"
    assert parse(["plan"], CHECKOUT).plan_output is None
    assert parse(["apply", PLAN], CHECKOUT).plan_input == "project/default.tfplan"


def test_a_checkout_is_found_from_a_directory_inside(tmp_path: Path) -> None:
    inner = tmp_path / "o" / "r" / "-986911510" / "a b" / "x" / "y"
    inner.mkdir(parents=True)
    found = locate(tmp_path, str(inner))
    assert (found.name, found.directory) == ("o/r/-986911510/a b", "x/y")
    assert (found.repository, found.pull, found.workspace) == ("o/r", "-986911510", "a b")
    (tmp_path / "outside").symlink_to("/")
    for elsewhere in (tmp_path, inner.parents[2], Path("/"), tmp_path / "outside"):
        with pytest.raises(CheckoutError, match="isn't in a checkout"):
            locate(tmp_path, str(elsewhere))


@pytest.mark.parametrize(
    "name", ["o/r/7", "o/r/seven/default", "o/../7/default", "o/r/7/..", "o/r/7/a/b", "o/r/7/a\nb", "", "/r/7/x"]
)
def test_other_names_are_no_checkouts(name: str) -> None:
    assert not valid_name(name)


def test_the_servers_own_variables_stay_with_it() -> None:
    server = {
        "ISOLATION_SERVER_NAMES": "PATH HOME ATLANTIS_GH_HOSTNAME TF_VAR_shared DD_API_KEY SOMETHING",
        "ISOLATION_FORWARD": "DD_API_KEY",
        "ATLANTIS_GH_HOSTNAME": "github.com",
        "TF_VAR_shared": "1",
        "DD_API_KEY": "2",
        "SOMETHING": "3",
    }
    added = {"WORKSPACE": "default", "ATLANTIS_TERRAFORM_VERSION": "1.11.4", "CUSTOM": "4"}
    never = dict.fromkeys(
        (
            "PATH",
            "HOME",
            "LD_PRELOAD",
            "PYTHONPATH",
            "GIT_CONFIG_COUNT",
            "AWS_CONFIG_FILE",
            "TF_PLUGIN_CACHE_DIR",
            "TF_DATA_DIR",
        ),
        "x",
    )
    assert forwarded({**server, **added, **never}) == {**added, "TF_VAR_shared": "1", "DD_API_KEY": "2"}
