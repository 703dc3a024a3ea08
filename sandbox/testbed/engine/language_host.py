"""A Python language host for an engine that was built without one: ``pulumi-language-python``.

It implements the engine's ``LanguageRuntime`` service. It runs the program in its own process, and a policy pack as a
child process. It reports no required plugins or packages, so that the engine downloads none.
"""
# ruff: noqa: N802, ARG002 - the service defines the names and the signature of its methods

import asyncio
import logging
import os
import queue
import runpy
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import IO, Any

import grpc
from pulumi import RunError, log
from pulumi.runtime import reset_options, run_in_stack, set_all_config
from pulumi.runtime.proto import engine_pb2, language_pb2, language_pb2_grpc, plugin_pb2
from pulumi.runtime.settings import get_engine

from sandbox.testbed.paths import CHECKOUT
from sandbox.testbed.plugin_start import Start

# Seconds to wait for processes that the program started and that still have its output open.
_PATIENCE = 2.0


@contextmanager
def forwarded_output(engine: Any) -> Iterator[None]:
    """Send each line that this process and its children print to ``engine`` (an ``EngineStub``)."""
    readers = []
    kept = []
    for stream, descriptor in enumerate((1, 2), start=1):
        reading, writing = os.pipe()
        kept.append(os.dup(descriptor))
        os.dup2(writing, descriptor)
        os.close(writing)
        reader = threading.Thread(target=_forward, args=(engine, reading, stream), daemon=True)
        reader.start()
        readers.append(reader)
    try:
        yield
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        for descriptor, former in enumerate(kept, start=1):
            os.dup2(former, descriptor)
            os.close(former)
        for reader in readers:
            reader.join(_PATIENCE)


def without_debug_messages(engine: Any) -> None:
    """Keep debug messages from ``engine`` (an ``EngineStub``), which shows them with ``--debug`` only.

    The SDK sends three for each resource, and the program waits for each.
    """
    send = engine.Log

    def log(request: engine_pb2.LogRequest, *arguments: Any, **options: Any) -> Any:
        return None if request.severity == engine_pb2.DEBUG else send(request, *arguments, **options)

    engine.Log = log


def _forward(engine: Any, reading: int, stream: int) -> None:
    with open(reading, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            try:
                engine.Log(engine_pb2.LogRequest(severity=engine_pb2.INFO, message=line, streamId=stream))
            except grpc.RpcError:
                return  # the engine has exited


class LanguageHost(language_pb2_grpc.LanguageRuntimeServicer):
    """The engine's ``LanguageRuntime`` service for Python.

    The engine has a server for each of its stages, and passes its address when it attaches.
    """

    def __init__(self, start: Start) -> None:
        self._start = start
        self._engines: dict[str, str] = {}

    def Handshake(self, request: Any, context: Any) -> language_pb2.LanguageHandshakeResponse:
        self._engines[context.peer()] = request.engine_address
        return language_pb2.LanguageHandshakeResponse()

    def GetPluginInfo(self, request: Any, context: Any) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo()

    def About(self, request: Any, context: Any) -> language_pb2.AboutResponse:
        return language_pb2.AboutResponse(executable=sys.executable, version=sys.version.split()[0])

    def GetRequiredPackages(self, request: Any, context: Any) -> language_pb2.GetRequiredPackagesResponse:
        return language_pb2.GetRequiredPackagesResponse()

    def InstallDependencies(
        self, request: Any, context: grpc.ServicerContext
    ) -> Iterator[language_pb2.InstallDependenciesResponse]:
        """Create the folder's virtual environment and install its requirements.txt, as the official host's toolchain pip does."""
        directory = Path(request.info.program_directory or request.directory)
        options = dict(request.info.options)
        if "virtualenv" not in options:
            return
        environment = directory / options["virtualenv"]
        requirements = directory / "requirements.txt"
        yield language_pb2.InstallDependenciesResponse(stdout=b"Creating the virtual environment\n")
        commands = [[sys.executable, "-m", "venv", str(environment)]]
        if requirements.exists():
            pip = [str(environment / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-compile"]
            commands.append([*pip, "--disable-pip-version-check", "--requirement", str(requirements)])
        for command in commands:
            done = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                context.abort(grpc.StatusCode.UNKNOWN, f"{' '.join(command)} failed:\n{done.stderr.strip()}")
        yield language_pb2.InstallDependenciesResponse(stdout=b"Installed the dependencies\n")

    def Run(self, request: Any, context: Any) -> language_pb2.RunResponse:
        """Run the program once. The response has ``bail`` if the program failed and the error was already reported."""
        program = os.path.normpath(Path(request.info.program_directory) / request.info.entry_point)
        os.chdir(request.pwd)
        sys.argv = [program, *request.args]
        reset_options(
            project=request.project,
            stack=request.stack,
            root_directory=request.info.root_directory,
            parallel=request.parallel,
            engine_address=self._engines.get(context.peer(), self._start.engine),
            monitor_address=request.monitor_address,
            preview=request.dryRun,
            organization=request.organization or "organization",
        )
        set_all_config(dict(request.config), list(request.configSecretKeys))
        if self._start.attached:
            # The sandbox's engine runs without ``--debug``.
            without_debug_messages(get_engine())
        with forwarded_output(get_engine()) if self._start.attached else nullcontext():
            return _run(program, request.parallel)

    def RunPlugin(self, request: Any, context: grpc.ServicerContext) -> Iterator[language_pb2.RunPluginResponse]:
        """Run a policy pack or a component package and stream its output."""
        directory = request.info.program_directory
        run = (
            [str(Path(directory) / "__main__.py"), *request.args]
            if request.kind == "resource"
            else ["-m", "sandbox.testbed.engine.plugin_process", "pulumi.policy", *request.args, directory]
        )
        child = subprocess.Popen(
            [_interpreter(directory, dict(request.info.options)), "-u", *run],
            cwd=request.pwd,
            env={**os.environ, **dict(entry.split("=", 1) for entry in request.env), "PYTHONPATH": str(CHECKOUT)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        context.add_callback(child.terminate)
        yield from _stream(child)
        yield language_pb2.RunPluginResponse(exitcode=child.wait())


def _run(program: str, parallel: int) -> language_pb2.RunResponse:
    # A program that fails leaves futures unobserved. asyncio's messages about them would hide the cause of the failure.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    executor = ThreadPoolExecutor(max_workers=max(parallel, 1) * 4)
    loop.set_default_executor(executor)

    def execute() -> None:
        runpy.run_path(program, run_name="__main__")

    try:
        loop.run_until_complete(run_in_stack(execute))
    except RunError as error:
        log.error(str(error))
    except grpc.RpcError as error:
        if error.code() != grpc.StatusCode.UNAVAILABLE:  # type: ignore[attr-defined] - the engine has exited
            log.error(f"Program failed: {error.details()}")  # type: ignore[attr-defined]
    except SystemExit as error:
        if not error.code:
            return language_pb2.RunResponse()
        # The same message as the official language host.
        log.error(f"an unhandled error occurred: program exited with non-zero exit code: {error.code}")
    except Exception as error:  # noqa: BLE001 - every error of a program is shown to the user
        log.error(f"Program failed with an unhandled exception:\n{_traceback(error, program)}")
    else:
        return language_pb2.RunResponse()
    finally:
        executor.shutdown(wait=True, cancel_futures=True)
        loop.close()
        sys.stdout.flush()
        sys.stderr.flush()
    return language_pb2.RunResponse(bail=True)


def _traceback(error: Exception, program: str) -> str:
    """The traceback from the program's first frame on, or the full one if it has none (an error inside the SDK)."""
    frames = traceback.TracebackException.from_exception(error)
    if isinstance(error, SyntaxError):
        # The error itself names the file and the line; the frames are only those of the import.
        return "".join(frames.format_exception_only())
    entry = {program, str(Path(program) / "__main__.py")}
    for index, frame in enumerate(frames.stack):
        if frame.filename in entry:
            frames.stack = traceback.StackSummary.from_list(frames.stack[index:])
            break
    return "".join(frames.format())


def _interpreter(pack: str, options: dict[str, Any]) -> str:
    """The interpreter of the pack's virtual environment, or this process's if the pack has none."""
    environment = options.get("virtualenv")
    if not environment:
        return sys.executable
    python = Path(pack) / environment / "bin" / "python"
    return str(python) if python.exists() else sys.executable


def _stream(child: "subprocess.Popen[bytes]") -> Iterator[language_pb2.RunPluginResponse]:
    chunks: queue.SimpleQueue[tuple[str, bytes]] = queue.SimpleQueue()

    def read(name: str, stream: IO[bytes]) -> None:
        while chunk := stream.read1(65536):  # type: ignore[attr-defined] - pipes are buffered readers
            chunks.put((name, chunk))
        chunks.put((name, b""))

    assert child.stdout is not None  # noqa: S101 - follows from stdout=PIPE
    assert child.stderr is not None  # noqa: S101 - follows from stderr=PIPE
    for name, stream in (("stdout", child.stdout), ("stderr", child.stderr)):
        threading.Thread(target=read, args=(name, stream), daemon=True).start()
    open_streams = {"stdout", "stderr"}
    while open_streams:
        name, chunk = chunks.get()
        if not chunk:
            open_streams.discard(name)
        elif name == "stdout":
            yield language_pb2.RunPluginResponse(stdout=chunk)
        else:
            yield language_pb2.RunPluginResponse(stderr=chunk)
