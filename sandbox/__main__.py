"""The sandbox's command line: ``python -m sandbox VERB [--stack STACK]``; the Makefile's targets call it."""

import argparse
import sys
from importlib import import_module
from typing import NoReturn

from sandbox.testbed.errors import SandboxError

# Each verb with its function and its description. A module is imported only if its verb is used, so that `outputs`
# starts in milliseconds. A module can define `add_arguments(parser)` to add arguments.
VERBS = {
    "up": ("sandbox.commands.everyday:up", "deploy the stack to the local AWS and start Atlantis"),
    "preview": ("sandbox.commands.everyday:preview", "show what `up` would change, and the policy findings"),
    "refresh": ("sandbox.commands.everyday:refresh", "detect drift of the stack itself, and update the engine's state"),
    "down": ("sandbox.commands.down:run", "destroy all unprotected resources and stop every process"),
    "outputs": ("sandbox.commands.everyday:outputs", "print the stack's outputs as JSON"),
    "logs": ("sandbox.commands.logs:run", "follow Atlantis' log"),
    "password": ("sandbox.commands.password:run", "print the user and the password of the web page"),
    "webhook": ("sandbox.commands.webhook:run", "send Atlantis a signed event, as GitHub would"),
    "pr": ("sandbox.commands.pr:run", "open a pull request, comment, approve, merge"),
    "host": ("sandbox.commands.host:run", "deploy the stack to a real host of repositories, and apply a pull request"),
    "rehearse": ("sandbox.commands.rehearse:run", "plan and apply a repository, and derive its least-privilege roles"),
    "preflight": ("sandbox.commands.preflight:run", "check what the stack needs, in the local AWS"),
    "drift": (
        "sandbox.commands.preflight:drift",
        "detect drift now in the projects of driftProjects, and print a table",
    ),
    "policy-check": ("sandbox.commands.policy_check:run", "check an exported state against the policy pack"),
    "policy-baseline": ("sandbox.commands.policy_baseline:run", "exempt the findings of an exported state"),
    "env": ("sandbox.commands.everyday:env", "print exports that point an AWS client at the local AWS"),
    "status": ("sandbox.commands.everyday:status", "show what is deployed and what is running"),
}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        super().error(_redacted(message))


def _redacted(message: str) -> str:
    from components.configuration.secret_names import redacted  # noqa: PLC0415 - loads the SDK, which most verbs don't need

    return redacted(message)


def main() -> int:
    """Run the verb of the command line and return its exit code."""
    listing = "\n".join(f"  {verb:<15} {purpose}" for verb, (_, purpose) in VERBS.items())
    parser = _Parser(
        prog="sandbox",
        description="The whole stack on one machine, without an AWS account.",
        epilog=f"verbs:\n{listing}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("verb", choices=VERBS, metavar="VERB", help="the command; `VERB --help` lists its arguments")
    verb = parser.parse_args(sys.argv[1:2]).verb
    target, purpose = VERBS[verb]
    module_name, function = target.split(":")
    module = import_module(module_name)
    verb_parser = _Parser(
        prog=f"sandbox {verb}",
        description=purpose,
        conflict_handler="resolve",  # a module can define its own --stack
    )
    verb_parser.add_argument("--stack", default="local", help="the stack whose settings are used (default: local)")
    if hasattr(module, "add_arguments"):
        module.add_arguments(verb_parser)
    try:
        return getattr(module, function)(verb_parser.parse_args(sys.argv[2:]))
    except SandboxError as error:
        sys.stderr.write(f"error: {_redacted(str(error))}\n")
        return 1
    except KeyboardInterrupt:
        sys.stderr.write("interrupted\n")
        return 130


if __name__ == "__main__":
    sys.exit(main())
