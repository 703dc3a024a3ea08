"""What a plan file must be: a zip of Terraform's, with the configuration of the checkout that was sent."""

import io
import json
import zipfile
from pathlib import Path

import pytest

from isolation.packing import Packed
from isolation.plan_file import PlanFileError, digest, verify

MODULES = [
    {"Key": "", "Source": "", "Dir": "."},
    {"Key": "inner", "Source": "../modules/inner", "Dir": "../modules/inner"},
    {"Key": "far", "Source": "registry", "Dir": ".terraform/modules/far"},
]
MEMBERS = {
    "tfplan": b"plan",
    "tfconfig/modules.json": json.dumps(MODULES).encode(),
    "tfconfig/m-/main.tf": b"main",
    "tfconfig/m-/more.tf.json": b"{}",
    "tfconfig/m-inner/main.tf": b"inner",
    "tfconfig/m-far/main.tf": b"far",
}
CONTENT = {
    "project/main.tf": b"main",
    "project/more.tf.json": b"{}",
    "modules/inner/main.tf": b"inner",
    "other/x.tf": b"x",
}
PACKED = Packed(Path("/nonexistent"), {path: digest(content) for path, content in CONTENT.items()})


def plan(**changes: bytes | None) -> bytes:
    members = {**MEMBERS, **{name.replace("__", "/"): content for name, content in changes.items()}}
    return zipped({name: content for name, content in members.items() if content is not None})


def zipped(members: dict[str, bytes]) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def problem(content: bytes, packed: Packed | None = PACKED, **options: bool) -> str:
    try:
        verify(content, directory="project", packed=packed, **options)
    except PlanFileError as found:
        return str(found)
    return ""


def test_a_plan_of_the_checkout_is_accepted() -> None:
    assert problem(plan()) == ""


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"tfconfig/m-/main.tf": b"forged"}, "another project/main.tf"),
        ({"tfconfig/m-inner/main.tf": b"forged"}, "another modules/inner/main.tf"),
        ({"tfconfig/m-/planted.tf": b""}, "project/planted.tf, which the checkout doesn't have"),
        ({"tfconfig/m-/main.tf": None}, "lacks project/main.tf"),
        ({"tfconfig/m-unknown/main.tf": b""}, "belongs to no module"),
        ({"tfplan": None}, "has no tfplan"),
        ({"tfconfig/modules.json": b"[]"}, "root module is None"),
        ({"tfconfig/modules.json": b"{"}, "isn't a plan file"),
        ({"tfconfig/modules.json": b'[{"Key": "", "Dir": "../other"}]'}, "root module is '../other'"),
        (
            {"tfconfig/modules.json": json.dumps([*MODULES[:1], {"Key": "inner", "Dir": "/etc"}]).encode()},
            "/etc/main.tf, which",
        ),
    ],
)
def test_another_configuration_is_refused(changes: dict[str, bytes | None], expected: str) -> None:
    assert expected in problem(plan(**changes))


def test_what_is_no_plan_is_refused() -> None:
    assert "isn't a plan file" in problem(b"Atlantis: this plan was created by remote ops\n")
    assert "isn't a plan file" in problem(b"")
    assert "isn't a plan file" in problem(plan()[:-40])


def test_a_member_that_is_there_twice_is_refused() -> None:
    file = io.BytesIO(plan())
    with zipfile.ZipFile(file, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("tfconfig/m-/main.tf", b"forged")
    assert "a member twice" in problem(file.getvalue())


def test_generated_configuration_is_compared_with_nothing_if_the_step_says_so() -> None:
    generated = plan(**{"tfconfig/m-/generated.tf": b"x"})
    assert "project/generated.tf" in problem(generated)
    assert problem(generated, None) == ""
    assert "has no tfplan" in problem(plan(tfplan=None), None)


def test_a_file_of_opentofu_stands_in_front_of_terraforms() -> None:
    packed = Packed(PACKED.root, {**PACKED.hashes, "project/main.tofu": digest(b"tofu")})
    tofu = {"tfconfig/m-/main.tofu": b"tofu", "tfconfig/m-/main.tf": None}
    assert problem(plan(**tofu), packed, opentofu=True) == ""
    assert "lacks project/main.tofu" in problem(plan(), packed, opentofu=True)
    assert problem(plan(), packed) == ""


def test_hidden_files_are_not_loaded() -> None:
    packed = Packed(PACKED.root, {**PACKED.hashes, "project/.hidden.tf": "x", "project/#a.tf#": "x"})
    assert problem(plan(), packed) == ""


def test_a_project_in_the_root_of_the_checkout() -> None:
    content = zipped(
        {"tfplan": b"", "tfconfig/modules.json": json.dumps(MODULES[:1]).encode(), "tfconfig/m-/main.tf": b"main"}
    )
    verify(content, directory=".", packed=Packed(PACKED.root, {"main.tf": digest(b"main"), "x/other.tf": "x"}))
    with pytest.raises(PlanFileError, match=r"lacks more\.tf"):
        verify(content, directory=".", packed=Packed(PACKED.root, {"main.tf": digest(b"main"), "more.tf": "x"}))
