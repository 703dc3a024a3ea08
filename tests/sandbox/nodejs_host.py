"""A language host for Node.js, for a test: the official one comes only with the CLI. It runs a program as the official one does."""

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
from pulumi.runtime.proto import language_pb2, language_pb2_grpc

from sandbox.testbed import npm, plugin_start
from sandbox.testbed.engine.language_host import LanguageHost

_RUN = Path("node_modules") / "@pulumi" / "pulumi" / "cmd" / "run" / "index.js"
_ERROR_WAS_LOGGED = 32
"""The exit code of a program that has reported its error to the engine itself."""


class NodeHost(LanguageHost):
    """The engine's ``LanguageRuntime`` service for programs in JavaScript; of TypeScript, it runs what was compiled."""

    def Run(self, request: Any, context: Any) -> language_pb2.RunResponse:  # noqa: N802 - the service defines the name
        """Run the program in a separate process."""
        options = {
            "monitor": request.monitor_address,
            "engine": self._engines.get(context.peer(), self._start.engine),
            "organization": request.organization,
            "project": request.project,
            "stack": request.stack,
            "parallel": request.parallel,
            "pwd": request.pwd,
            "root-directory": request.info.root_directory,
            "dry-run": str(request.dryRun).lower(),
        }
        environment = {
            **os.environ,
            "PULUMI_CONFIG": json.dumps(dict(request.config)),
            "PULUMI_CONFIG_SECRET_KEYS": json.dumps(list(request.configSecretKeys)),
        }
        program = Path(request.info.program_directory)
        words = [f"--{name}={value}" for name, value in options.items()]
        command = [str(npm.NODE), str(program / _RUN), *words, request.info.entry_point]
        code = subprocess.run(
            command, cwd=request.pwd, env=environment, stdin=subprocess.DEVNULL, check=False
        ).returncode
        if code in (0, _ERROR_WAS_LOGGED):
            return language_pb2.RunResponse(bail=code != 0)
        return language_pb2.RunResponse(error=f"Program exited with non-zero exit code: {code}")


def main() -> None:
    """Serve on a free port, which standard output tells the engine."""
    # The engine stops its plugins with SIGINT, on which Python would print a traceback.
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))
    server = grpc.server(ThreadPoolExecutor(max_workers=8), options=plugin_start.SERVER_OPTIONS)
    host = NodeHost(plugin_start.parse(sys.argv[1:]))
    language_pb2_grpc.add_LanguageRuntimeServicer_to_server(host, server)
    sys.stdout.write(f"{server.add_insecure_port('127.0.0.1:0')}\n")
    sys.stdout.flush()
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    main()
