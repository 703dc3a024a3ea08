"""Imports on demand, compared with what the SDK's packages import by themselves, and processes that need no SDK."""

import json
import subprocess
import sys

from tests.checkout import CHECKOUT

PACKAGES = ("acm", "config", "ec2", "ecs", "iam", "lb", "s3")
_NAMES = f"""
import importlib, json, sys
packages = {{name: importlib.import_module("pulumi_aws." + name) for name in {PACKAGES!r}}}

def listed(package):
    getattr(package, "__all__", None)  # the SDK loads a package when its first attribute is read
    values = [(name, getattr(package, name)) for name in dir(package) if name[0] != "_" and name != "builtins"]
    # Last what runs the package's own imports.
    return [n for n, value in sorted(values, key=lambda row: row[0].endswith(("Result", "InitArgs")) or isinstance(row[1], type(sys)))]

names = json.load(sys.stdin) or {{name: listed(package) for name, package in packages.items()}}
found = [(p, n, getattr(packages[p], n)) for p in names for n in names[p]]
loaded = sorted(m for m in sys.modules if m.startswith("pulumi_aws.ec2."))
print(json.dumps([names, [(p, n, repr(type(v)), getattr(v, "__module__", ""), getattr(v, "__name__", "")) for p, n, v in found], loaded]))
"""


def names(before: str, wanted: dict[str, list[str]]) -> tuple[dict[str, list[str]], list[list[str]], list[str]]:
    ended = subprocess.run(
        [sys.executable, "-c", before + _NAMES],
        cwd=CHECKOUT,
        input=json.dumps(wanted),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(ended.stdout)


QUICK = "from components.sdk_imports import quick_imports\nwith quick_imports(): import pulumi_aws\n"


def test_every_name_of_a_package_is_the_one_that_the_package_imports_by_itself() -> None:
    wanted, found, _ = names("", {})
    assert len(found) > 2000
    assert names(QUICK, wanted)[1] == found


def test_only_the_modules_of_the_names_that_are_read_are_imported() -> None:
    wanted = {"ec2": ["Vpc", "get_subnet_output", "get_subnet"]}
    _, found, loaded = names(QUICK, wanted)
    assert [row[1:] for row in found] == [
        ["Vpc", "<class 'type'>", "pulumi_aws.ec2.vpc", "Vpc"],
        *([name, "<class 'function'>", "pulumi_aws.ec2.get_subnet", name] for name in wanted["ec2"][1:]),
    ]
    assert loaded == [f"pulumi_aws.ec2.{name}" for name in ("_enums", "_inputs", "get_subnet", "outputs", "vpc")]
    # A name that no module is called after: the package's own imports run.
    assert len(names(QUICK, {"ec2": ["Vpc", "GetSubnetResult", "AwaitableGetSubnetResult"]})[2]) > 150


def test_a_process_that_deploys_nothing_imports_no_sdk() -> None:
    modules = "sandbox.atlantis.agent, sandbox.commands.pr, sandbox.commands.password, sandbox.testbed.local_aws.server"
    script = f"import sys, {modules}; print(*(name for name in sys.modules if name.startswith('pulumi')))"
    ended = subprocess.run([sys.executable, "-c", script], cwd=CHECKOUT, capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == ""
