"""What a call of Terraform is: its subcommand, the container that runs it, and the plan file it writes or applies."""

from typing import NamedTuple

from isolation.checkout import Checkout
from isolation.paths import APPLY, APPLY_ONLY, PLAN


class CommandError(Exception):
    """This call isn't run; the message says why, and what to do instead."""


class TerraformCommand(NamedTuple):
    """A call of Terraform or OpenTofu that is allowed to run."""

    kind: str
    """The subcommand, such as `plan`."""
    role: str
    """The container that runs it."""
    arguments: list[str]
    plan_output: str | None = None
    """The file that `-out` names, relative to the checkout's root."""
    plan_input: str | None = None
    """The plan file that is applied, relative to the checkout's root; it is the last argument."""


_REFUSED = {
    "console": "it is interactive",
    "destroy": "a destruction needs a plan: atlantis plan -- -destroy, where the stack allows that argument",
    "force-unlock": "release the lock with your own credentials",
    "login": "it would store a credential in a plan's reach",
    "logout": "there is nothing to log out of",
    "refresh": "it writes the state; apply a plan instead",
    "taint": "it writes the state; apply a plan with -replace instead, where the stack allows that argument",
    "untaint": "it writes the state; run it with your own credentials",
}
_REFUSED_STATE = frozenset({"mv", "push", "replace-provider", "rm"})
_REFUSED_WORKSPACE = frozenset({"delete", "new", "select"})

# All that Atlantis and a workflow need. A saved plan has its variables, targets and state; -state, -backup and -chdir
# would take it elsewhere.
_APPLY_FLAGS = frozenset(
    {"auto-approve", "compact-warnings", "input", "json", "lock", "lock-timeout", "no-color", "parallelism"}
)
_FLAGS_WITH_VALUE = frozenset({"lock-timeout", "parallelism"})


def parse(arguments: list[str], checkout: Checkout) -> TerraformCommand:
    """What the call with these `arguments` (without the program's name) is; raises `CommandError` if it isn't allowed."""
    position = next((at for at, argument in enumerate(arguments) if not argument.startswith("-")), None)
    if position is None:
        return TerraformCommand("help", PLAN, arguments)
    kind, rest = arguments[position], arguments[position + 1 :]
    inner = next((argument for argument in rest if not argument.startswith("-")), "")
    if kind in _REFUSED:
        raise CommandError(f"terraform {kind} isn't available: {_REFUSED[kind]}")
    if kind == "state" and inner in _REFUSED_STATE:
        raise CommandError(
            f"terraform state {inner} isn't available: no approval covers it; run it with your own credentials"
        )
    if kind == "workspace" and inner in _REFUSED_WORKSPACE:
        raise CommandError(
            f"terraform workspace {inner} isn't available: every command runs in Atlantis' workspace already. The plan role "
            "can't write a state, so create a new workspace once with your own credentials: terraform workspace new"
        )
    if kind in APPLY_ONLY and position:
        raise CommandError(f"terraform {kind} takes no option in front of the subcommand; found {arguments[0]}")
    if kind == "apply":
        return TerraformCommand(kind, APPLY, arguments, plan_input=_plan_input(rest, checkout))
    if kind == "import":
        _only_known_place(rest)
        return TerraformCommand(kind, APPLY, arguments)
    if kind == "plan":
        return TerraformCommand(kind, PLAN, arguments, plan_output=_plan_output(rest, checkout))
    return TerraformCommand(kind, PLAN, arguments)


def _flag(argument: str) -> str:
    return argument.lstrip("-").split("=", 1)[0]


def _plan_output(arguments: list[str], checkout: Checkout) -> str | None:
    found = []
    for at, argument in enumerate(arguments):
        if argument.startswith("-") and _flag(argument) == "out":
            value = argument.split("=", 1)[1] if "=" in argument else "".join(arguments[at + 1 : at + 2])
            found.append(value)
    if len(found) > 1:
        raise CommandError(
            f"-out is set {len(found)} times, so which plan would be applied isn't clear: {', '.join(found)}"
        )
    return checkout.relative(found[0]) if found else None


def _plan_input(arguments: list[str], checkout: Checkout) -> str:
    files, at = [], 0
    while at < len(arguments):
        argument = arguments[at]
        if not argument.startswith("-"):
            files.append(argument)
        elif _flag(argument) not in _APPLY_FLAGS:
            raise CommandError(
                f"apply can't take {argument}: a saved plan is applied as it is; put the argument on the plan, "
                "or remove it from the workflow"
            )
        elif _flag(argument) in _FLAGS_WITH_VALUE and "=" not in argument:
            at += 1
        at += 1
    if len(files) != 1 or arguments[-1] != files[0]:
        raise CommandError(
            "apply takes one plan file, as the last argument: a plan that runs at apply would not have been approved. "
            "Remote operations of HCP Terraform have no plan file and aren't available"
        )
    return checkout.relative(files[0])


def _only_known_place(arguments: list[str]) -> None:
    for argument in arguments:
        if argument.startswith("-") and _flag(argument) in {"backup", "config", "state", "state-out"}:
            raise CommandError(f"import can't take {argument}: it imports into the project's own state")
