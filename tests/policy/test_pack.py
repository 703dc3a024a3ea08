"""The pack as the engine and its users see it: metadata, reference, isolation from the program."""

import ast
import json
import re
import sys
from pathlib import Path

import pytest

import sarif
from evaluation import documentation
from evaluation.rule import Rule
from policies.catalogue import RULES
from policies.required_tags import taggable_types
from reference import README, SCHEMA, readme, schema
from tests.policy import taggable_types as taggable
from tests.policy.servicer import Pack

PACK = README.parent
CONTROL = re.compile(r"[A-Z][A-Za-z0-9]+\.\d+|(?:SEC|REL)\d\d-BP\d\d|CWE-\d+")


def test_the_three_that_give_the_pack_its_name_are_mandatory_and_the_others_advise() -> None:
    mandatory = {rule.name for rule in RULES if rule.level == "mandatory"}
    assert mandatory == {"encryption", "encryption-stack", "cidr-restriction", "single-task"}


def test_engine_is_told_everything_about_each_policy() -> None:
    info = Pack().info()
    assert info.supportsConfig
    assert [policy.name for policy in info.policies] == [rule.name for rule in RULES]
    for policy in info.policies:
        assert policy.displayName
        assert policy.description.endswith(".")
        assert policy.remediation_steps.endswith(".")
        assert policy.severity
        assert policy.framework.name
        assert policy.framework.specification
        assert policy.framework.reference.startswith("https://")
        assert {"unknowns", "exemptions"} <= set(policy.configSchema.properties)
        assert not policy.configSchema.required


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_rule_is_one_kind_of_policy_with_sound_metadata(rule: Rule) -> None:
    assert [bool(rule.by_type), bool(rule.whole_stack), bool(rule.fixes)].count(True) == 1
    assert all(CONTROL.fullmatch(control) for control in (*rule.controls, *rule.related))
    assert all(sentence.endswith(".") for sentence in (*rule.checks.values(), rule.why, rule.remediation))
    assert all(setting.description.endswith((".", ")", ").")) for setting in rule.settings)


def test_report_runs_last_because_it_shows_what_the_others_noted() -> None:
    assert RULES[-1].name == "evaluation-report"


def test_readme_is_current() -> None:
    current = README.read_text(encoding="utf-8")
    assert readme(current) == current, "run `python -m reference` in policy/"


def test_configuration_schema_is_current() -> None:
    assert SCHEMA.read_text(encoding="utf-8") == schema(), "run `python -m reference` in policy/"


def test_help_links_come_from_the_website_of_the_project_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(documentation, "PACK", tmp_path)
    for written, expected in (
        ("name: pack\n", ""),
        (
            "name: pack\nwebsite: https://example.com/pack/README.md # where it is hosted\n",
            "https://example.com/pack/README.md",
        ),
        ('website: "https://example.com/a"\n', "https://example.com/a"),
    ):
        (tmp_path / "PulumiPolicy.yaml").write_text(written, encoding="utf-8")
        documentation.website.cache_clear()
        try:
            policies, driver = (
                Pack().info().policies,
                json.loads(sarif.document([], "Pulumi.yaml"))["runs"][0]["tool"]["driver"],
            )
        finally:
            documentation.website.cache_clear()
        assert {policy.url for policy in policies} == {f"{expected}#{each.name}" if expected else "" for each in RULES}
        assert driver.get("informationUri", "") == expected
        assert all(("helpUri" in rule) is bool(expected) for rule in driver["rules"])


def test_no_help_link_leads_to_a_repository_that_the_pack_does_not_name() -> None:
    written = [file.read_text(encoding="utf-8") for file in PACK.rglob("*.py") if ".venv" not in file.parts]
    assert not any("github.com/my-organization" in text for text in written)


def test_taggable_types_are_those_of_the_installed_sdk() -> None:
    assert taggable.TARGET.read_text(encoding="utf-8") == taggable.content(), (
        "run `python -m tests.policy.taggable_types`"
    )
    assert {"efs/fileSystem", "lb/loadBalancer", "ecs/taskDefinition"} <= taggable_types()


def test_pack_imports_nothing_but_the_standard_library_and_the_policy_sdk() -> None:
    allowed = {"pulumi_policy", "evaluation", "policies", "tables", *(module.stem for module in PACK.glob("*.py"))}
    for module in PACK.rglob("*.py"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0, f"{module.name} imports relatively"
                names = [node.module or ""]
            foreign = {name.partition(".")[0] for name in names} - allowed
            assert foreign <= sys.stdlib_module_names, f"{module.name} imports {foreign}"


def test_entry_point_prints_nothing_and_only_constructs_the_pack() -> None:
    body = ast.parse((PACK / "__main__.py").read_text(encoding="utf-8")).body
    calls = [node.value for node in body if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)]
    assert [ast.unparse(call.func) for call in calls] == [
        "gc.disable",
        "tune_garbage_collector",
        "warn_about_configuration",
        "PolicyPack",
    ]
    docstring_and_calls = [node for node in body if not isinstance(node, ast.Import | ast.ImportFrom)]
    assert len(docstring_and_calls) == 5


def test_configuration_files_of_this_repository_name_only_stacks_that_exist() -> None:
    stacks = {path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in PACK.parent.glob("Pulumi.*.yaml")}
    assert {path.stem for path in Path(PACK / "config").glob("*.json")} <= stacks
