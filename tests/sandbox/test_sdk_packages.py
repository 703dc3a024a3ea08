"""The packages of the SDKs that a program used are imported before the next run of it."""

import sys
from pathlib import Path

import pytest

from sandbox.testbed.engine.sdk_packages import SdkPackages
from sandbox.testbed.files import read_json, write_json


@pytest.fixture
def sdk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """An SDK with two services, which loads them as the real ones do; it is forgotten after the test."""
    package = tmp_path / "pulumi_tried"
    for service in ("used", "unused"):
        (package / service).mkdir(parents=True)
        (package / service / "__init__.py").write_text("VALUE = 1\n")
    (package / "__init__.py").write_text(
        "from pulumi import _utils\n"
        "used = _utils.lazy_import('pulumi_tried.used')\n"
        "unused = _utils.lazy_import('pulumi_tried.unused')\n"
    )
    (tmp_path / "other.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)

    def forget() -> None:
        for name in [name for name in sys.modules if name.startswith("pulumi_tried")]:
            del sys.modules[name]

    yield forget
    forget()


def _loaded(name: str) -> bool:
    # As the SDK's own check: reading an attribute would load the package.
    return name in sys.modules and "VALUE" in object.__getattribute__(sys.modules[name], "__dict__")


def test_what_a_program_has_used_is_imported_for_the_next_run(sdk, tmp_path: Path):
    record = tmp_path / "record.json"
    import pulumi_tried  # type: ignore[import-not-found]

    assert pulumi_tried.used.VALUE == 1
    SdkPackages(record).save()
    sdk()
    assert not _loaded("pulumi_tried.used")
    packages = SdkPackages(record)
    packages.load()
    packages.wait()
    assert (_loaded("pulumi_tried.used"), _loaded("pulumi_tried.unused")) == (True, False)
    assert {"pulumi_tried", "pulumi_tried.used"} <= set(read_json(record) or [])


@pytest.mark.usefixtures("sdk")
def test_a_package_that_can_not_be_imported_is_left_out(tmp_path: Path):
    record = tmp_path / "record.json"
    (tmp_path / "pulumi_tried" / "broken.py").write_text("not Python")
    write_json(record, ["pulumi_tried.gone", "pulumi_tried.broken", "pulumi_tried.used"])
    SdkPackages(record).load()
    assert _loaded("pulumi_tried.used")


@pytest.mark.usefixtures("sdk")
@pytest.mark.parametrize("content", [None, "", "[truncated"])
def test_without_a_readable_record_a_program_imports_its_packages_itself(tmp_path: Path, content: str | None):
    record = tmp_path / "record.json"
    if content is not None:
        record.write_text(content)
    packages = SdkPackages(record)
    packages.load()
    packages.wait()
    import pulumi_tried  # type: ignore[import-not-found]

    assert pulumi_tried.used.VALUE == 1
    packages.save()
    assert "pulumi_tried.used" in (read_json(record) or [])


def test_a_run_without_a_record_leaves_none(tmp_path: Path):
    packages = SdkPackages(None)
    packages.wait()
    packages.save()
    assert list(tmp_path.iterdir()) == []
