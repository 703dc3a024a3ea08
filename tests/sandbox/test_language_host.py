"""Programs and policy packs through the stand-in language host, on the real engine, with no provider involved."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from pulumi.runtime.proto import engine_pb2

from sandbox.sandbox import Sandbox
from sandbox.testbed.engine.language_host import without_debug_messages
from sandbox.testbed.engine.stack import EngineError
from sandbox.testbed.paths import CHECKOUT
from tests.sandbox.harness import Scratch

PROJECT = f"""
name: tiny
runtime: {{name: python, options: {{virtualenv: {CHECKOUT / ".venv"}}}}}
"""
COMPONENT = """
import pulumi

class Thing(pulumi.ComponentResource):
    def __init__(self, name):
        super().__init__("tiny:index:Thing", name)
        self.register_outputs({})
"""
PACK = """
from pulumi_policy import EnforcementLevel, PolicyPack, ResourceValidationPolicy

def no_bad_name(args, report):
    if args.name == "bad":
        report("the name is bad")

PolicyPack("tiny-pack", [ResourceValidationPolicy("no-bad-name", "No bad name", no_bad_name, EnforcementLevel.MANDATORY)])
"""


@pytest.fixture
def tiny(scratch: Scratch, tmp_path: Path):
    """Makes the sandbox of a program with this source."""

    def make(source: str, *, pack: str | None = None) -> Sandbox:
        program, packs = tmp_path / "program", tmp_path / "pack"
        for folder in (program, packs):
            folder.mkdir(exist_ok=True)
        (program / "Pulumi.yaml").write_text(PROJECT)
        (program / "Pulumi.local.yaml").write_text("config: {tiny:size: 3}\n")
        (program / "__main__.py").write_text(COMPONENT + source)
        if pack:
            (packs / "PulumiPolicy.yaml").write_text(PROJECT.replace("name: tiny\n", ""))
            (packs / "__main__.py").write_text(pack)
        return Sandbox(state=scratch.state, program=program, policy_pack=packs if pack else None, run_atlantis=False)

    return make


def test_what_a_program_and_its_children_print_is_shown_as_the_programs(tiny, capfd: pytest.CaptureFixture[str]):
    tiny(
        "import subprocess, sys\n"
        "print('from the program')\n"
        "print('a complaint', file=sys.stderr)\n"
        "subprocess.run(['echo', 'from a child'], check=True)\n"
        "print('the end, without a new line', end='')\n"
    ).preview()

    shown = capfd.readouterr()
    diagnostics = shown.out.partition("Diagnostics:")[2]
    for text in ("from the program", "a complaint", "from a child", "the end, without a new line"):
        assert diagnostics.count(text) == 1, shown.out
        assert text not in shown.err


def test_debug_messages_do_not_leave_the_program():
    sent: list[engine_pb2.LogRequest] = []
    engine = SimpleNamespace(Log=sent.append)
    without_debug_messages(engine)
    for severity in engine_pb2.LogSeverity.values():
        engine.Log(engine_pb2.LogRequest(severity=severity, message="a message"))
    assert [request.severity for request in sent] == [engine_pb2.INFO, engine_pb2.WARNING, engine_pb2.ERROR]


def test_a_run_has_its_settings_and_folder_complains_of_nothing_and_leaves_no_debug_message_and_no_log(
    tiny, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    sandbox = tiny(
        "import os\n"
        "from pulumi.runtime.settings import get_engine\n"
        "pulumi.export('log', get_engine().Log.__module__)\n"
        "pulumi.export('size', pulumi.Config().require_int('size'))\n"
        "pulumi.export('where', [pulumi.get_project(), pulumi.get_stack(), os.getcwd()])\n"
        "Thing('good')\n",
        pack=PACK,
    )
    sandbox.up()

    shown = capfd.readouterr()
    assert "warning" not in (shown.out + shown.err).lower()
    where = ["tiny", "local", str(tmp_path / "program")]
    assert sandbox.outputs() == {"log": without_debug_messages.__module__, "size": 3, "where": where}
    logs = sandbox.workspace.pulumi_home / "logs"
    assert "Delete this file" in logs.read_text()
    logs.unlink()
    logs.mkdir()
    sandbox.preview()
    assert list(logs.iterdir()), "the engine no longer writes logs: the file that prevents it can go"


def test_a_run_error_shows_its_message_only(tiny, capfd: pytest.CaptureFixture[str]):
    with pytest.raises(EngineError):
        tiny("raise pulumi.RunError('size is wrong: set a larger one')").preview()

    shown = capfd.readouterr().out
    assert "error: size is wrong: set a larger one" in shown
    assert "Traceback" not in shown


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("{}['missing']", "KeyError: 'missing'"),
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("pulumi.Output.from_input(1).apply(lambda v: 1 / 0)", "ZeroDivisionError: division by zero"),
        ("import sys; sys.exit(3)", "program exited with non-zero exit code: 3"),
        ("this is no Python", "SyntaxError: invalid syntax"),
    ],
)
def test_an_unexpected_error_is_shown_with_the_programs_own_frames(
    tiny, capfd: pytest.CaptureFixture[str], source: str, expected: str
):
    with pytest.raises(EngineError) as raised:
        tiny(source).preview()

    shown = capfd.readouterr().out
    assert raised.value.code > 0
    assert expected in shown
    assert "language_host" not in shown
    assert "language_server" not in shown


def test_modules_of_the_checkout_are_out_of_a_programs_reach(tiny, capfd: pytest.CaptureFixture[str]):
    with pytest.raises(EngineError):
        tiny("import components").preview()

    assert "No module named 'components'" in capfd.readouterr().out


def test_a_policy_pack_that_does_not_start_says_why(tiny, capfd: pytest.CaptureFixture[str]):
    with pytest.raises(EngineError):
        tiny("Thing('good')", pack="import no_such_module").preview()

    shown = capfd.readouterr()
    assert "No module named 'no_such_module'" in shown.out + shown.err


def test_a_policy_pack_without_its_environment_runs_in_the_sandboxs(
    tiny, tmp_path: Path, capfd: pytest.CaptureFixture[str]
):
    sandbox = tiny("Thing('good')", pack=PACK)
    (tmp_path / "pack" / "PulumiPolicy.yaml").write_text("runtime: {name: python, options: {virtualenv: .venv}}\n")

    sandbox.preview()

    assert "tiny-pack" in capfd.readouterr().out
