"""Attacks of a plan on what is beside it: the server, other pull requests, an apply, and AWS with more than a plan's rights.

A stack denies them with `terraformIsolation: containers`. The provider of the pull request runs as the plan does.
"""

import re
import secrets
import threading
import time
from pathlib import Path

from sandbox.attack.plan_session import called, state_bucket
from sandbox.attack.plans import shown_in
from sandbox.attack.provider import printed, run_in_plan
from sandbox.attack.pull_requests import HARMLESS, Answered, commented, planned
from sandbox.attack.row import Outcome, Row
from sandbox.attack.target import Target

__all__ = ["ROWS"]

_SERVER = """
for process in /proc/[0-9]*; do
  case "$(tr '\\0' ' ' 2>/dev/null <"$process/cmdline")" in
    *atlantis\\ server*) kill -0 "${process#/proc/}" && echo "reached the server" ;;
  esac
done
sleep 30 &
kill -TERM $! && echo "reached a child"
"""
_TASK_ROLE = """
cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | sort -u | grep -E '^(AWS_C|ECS_)' | sed 's/=.*//; s/^/has /'
sleep 30 &
tr '\\0' '\\n' <"/proc/$!/environ" | sed -n 's/^\\(PATH\\)=.*/has \\1/p'
kill $!
"""
# The data directory, also where the command doesn't have its variable.
_DATA = "data=${PWD%%/repos/*}\n"
_SERVER_DATA = f"""{_DATA}
mkdir -p "$data/bin" 2>/dev/null
for file in "$data/bin/terraform1.5.7" "$data/beside-the-locks" "$data/plugin-cache/any" "$HOME/../.gitconfig-attack"; do
  echo attack >"$file" && echo "wrote $file" && rm "$file"
done 2>/dev/null
[ -w "$data/atlantis.db" ] && echo "wrote the locks"
echo attack >own && echo "own file written"
"""
_OTHER_PULL_REQUESTS = f"""{_DATA}
own=$(echo "$PWD" | sed "s|^$data/repos/||" | cut -d/ -f1-3)
find "$data/repos" -name '*.tf' -o -name '*.tfplan' 2>/dev/null | grep -v "/$own/" | while read -r file; do
  [ -r "$file" ] && echo "read $file"
  [ -w "$file" ] && echo "write $file"
done
[ -w main.tf ] && echo "own main.tf"
"""
_TOKENS = """
planted=$(mktemp -d)
echo 'x-access-''token' >"$planted/planted"
find / -xdev \\( -path /proc -o -path /usr -o -path /opt \\) -prune -o -type f -size -64k -readable -print 2>/dev/null |
  xargs -r grep -l -s -e 'x-access-''token' | sed 's/^/token in /'
find "${HOME:-/}" "${TMPDIR:-/tmp}" -type f -size -64k 2>/dev/null | xargs -r grep -l -s -e 'x-access-''token' | sed 's/^/token in /'
cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n' | grep -e 'x-access-''token' | sed 's/^.*$/token in an environment/'
rm -r "$planted"
"""
_SOCKETS = """
python3 - <<'PYTHON'
import os, socket, tempfile

def reached(path):
    try:
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(path)
        return True
    except OSError:
        return False

found = [line.split()[-1] for line in open("/proc/net/unix") if line.rstrip().endswith(".sock")]
for path in sorted(set(found) | {f"/run/isolation/{name}" for name in
        ("plan/executor.sock", "apply/executor.sock", "plan-broker/agent.sock", "apply-broker/agent.sock")}):
    if path.startswith("/run/isolation/") and reached(path):
        print("reached", path)
with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as own:
    own.bind(os.path.join(folder, "own"))
    own.listen()
    print("own socket" if reached(os.path.join(folder, "own")) else "no socket")
PYTHON
"""


def _row(
    name: str, body: str, reached: str, control: str, *, attack: str, tried: str, refused_by: str, before: str = ""
) -> Row:
    """An attack that is allowed if the output of ``body`` in a plan has ``reached``; the control is a line with ``control``."""

    def output(target: Target) -> str:
        if before:
            target.once(before, lambda: planned(target, before, {"main.tf": HARMLESS}))
        return printed(target, name, body)

    def attempt(target: Target) -> Outcome:
        found = re.search(reached, output(target), re.MULTILINE)
        return Outcome(found is not None, found[0] if found else "reached nothing")

    def allowed(target: Target) -> Outcome:
        found = re.search(control, output(target), re.MULTILINE)
        return Outcome(found is not None, found[0] if found else f"not even its own: {output(target)[:200]!r}")

    return Row(
        name=name,
        attack=attack,
        tried=f"a provider binary in the pull request that {tried}",
        refused_by=refused_by,
        attempt=attempt,
        control=allowed,
        isolation=True,
    )


def _aws(target: Target, call: str) -> Outcome:
    bucket = f'"$AWS_ENDPOINT_URL/{state_bucket(target)}'
    calls = {"write": f'-X PUT -d attack {bucket}/attack-of-a-plan"', "read": f'{bucket}?list-type=2"'}
    status = called(target, "isolation-aws", calls)[call]
    return Outcome(status == 200, f"{call} was answered with {status}")


_LEFT = """
setsid sh -c 'exec sleep {seconds}' >/dev/null 2>&1 </dev/null &
kill -0 $! && echo "process $! lives"
"""


def _left_behind(target: Target) -> tuple[str, bool]:
    """What the provider has printed, and whether its process outlives the plan; `sleep` has a unique number as its mark."""

    def run() -> tuple[str, bool]:
        seconds = 90_000 + secrets.randbelow(9_000_000)
        said, _ = run_in_plan(target, "isolation-left", _LEFT.format(seconds=seconds))
        command = f"sleep\0{seconds}\0".encode()
        lives = any(_read(path) == command for path in Path("/proc").glob("[0-9]*/cmdline"))
        return said, lives

    return target.once("isolation-left", run)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return b""


_REPLACE = """
(
  setsid sh -c 'while :; do for file in ../second/*.tfplan; do [ -e "$file" ] && echo replaced >"$file"; done; sleep 0.01; done' \\
    >/dev/null 2>&1 </dev/null &
  kill -0 $! && echo "process $! lives"
)
"""


def _replaced(target: Target) -> tuple[str, Answered]:
    """What the provider of one project has printed, and Atlantis' answer to the apply of the project that was planned after it."""

    def run() -> tuple[str, Answered]:
        more = {"second/main.tf": HARMLESS}
        said, plan = run_in_plan(target, "isolation-plan-file", _REPLACE, directory="first/", more=more)
        target.github.approve(plan.pull, "reviewer")
        return said + plan.text, commented(target, plan.pull, "atlantis apply -d second")

    return target.once("isolation-plan-file", run)


_POLL = """
end=$(($(date +%s) + 20))
while [ "$(date +%s)" -lt "$end" ]; do
  cat /proc/[0-9]*/environ 2>/dev/null | tr '\\0' '\\n'
done | grep -e {mark} -e ^PATH= | sort -u
"""
_SLOW = """
resource "terraform_data" "slow" {{
  provisioner "local-exec" {{
    command     = "sleep 15; echo \\"the mark is $MARK\\""
    environment = {{ MARK = "{mark}" }}
  }}
}}
"""


def _beside_an_apply(target: Target) -> tuple[str, str]:
    """What a plan reads from all environments while an apply runs, and what the apply has printed."""

    def run() -> tuple[str, str]:
        mark = f"mark-{secrets.token_hex(8)}"
        plan = planned(target, "isolation-apply", {"main.tf": _SLOW.format(mark=mark)})
        target.github.approve(plan.pull, "reviewer")
        applied: list[str] = []
        thread = threading.Thread(
            target=lambda: applied.append(commented(target, plan.pull, "atlantis apply").text), daemon=True
        )
        thread.start()
        time.sleep(1)
        said, _ = run_in_plan(target, "isolation-beside", _POLL.format(mark=mark))
        thread.join(60)
        found = "the apply's mark" if mark in said else "only its own"
        return f"{found}\n{said}", "\n".join(applied)

    return target.once("isolation-apply", run)


def _read_of_apply(target: Target) -> Outcome:
    said, applied = _beside_an_apply(target)
    if "the mark is" not in applied:
        raise RuntimeError(f"the apply didn't run at the same time: {applied[:300]}")
    return Outcome(said.startswith("the apply's mark"), said.splitlines()[0])


_CONTAINERS = "containers of a task, which have own processes and files"
_USERS = "the executor, which runs each checkout as a user of its own"

ROWS = (
    _row(
        "isolation-server-process",
        _SERVER,
        "^reached the server",
        "^reached a child",
        attack="Stop the server, or take its port while it restarts",
        tried="looks for the server among all processes and asks whether it may send a signal",
        refused_by=_CONTAINERS,
    ),
    _row(
        "isolation-task-role",
        _TASK_ROLE,
        "^has (AWS_CONTAINER_|ECS_).*",
        "^has PATH",
        attack="Get the task role's credentials, or set the task's protection",
        tried="looks for their addresses in every environment that it can read",
        refused_by="the start of the containers, which removes the addresses before their program",
    ),
    _row(
        "isolation-server-data",
        _SERVER_DATA,
        "^wrote .*",
        "^own file written",
        attack="Plant a terraform<version> for other repositories, or delete the locks and with them 'disable applies'",
        tried="writes bin/, plugin-cache/, the data directory and atlantis.db",
        refused_by=_CONTAINERS,
    ),
    _row(
        "isolation-other-pull-requests",
        _OTHER_PULL_REQUESTS,
        "^(read|write) .*",
        "^own main.tf",
        attack="Read or change the files and the plan of another pull request",
        tried="looks for readable and writable files in the checkouts of other repositories",
        refused_by=_USERS,
        before="isolation-victim",
    ),
    _row(
        "isolation-token",
        _TOKENS,
        "^token in (?!.*/planted$).*",
        "^token in .*/planted$",
        attack="Approve the own pull request with the installation's token",
        tried="searches all readable files and environments for a token",
        refused_by="the containers, of which only the server has the token; a download's token is removed before providers run",
    ),
    _row(
        "isolation-sockets",
        _SOCKETS,
        "^reached .*",
        "^own socket",
        attack="Command an executor as another pull request, or ask the agent for the apply role's session",
        tried="connects to the sockets of the executors and of the agent",
        refused_by="the rights of the sockets, and the volumes, which only the containers that need them have",
    ),
    Row(
        name="isolation-aws-write",
        attack="Change AWS resources in a plan, which nobody has approved",
        tried="a provider binary in the pull request that writes an object into the state's bucket with the plan's credentials",
        refused_by="the plan role",
        attempt=lambda target: _aws(target, "write"),
        control=lambda target: _aws(target, "read"),
        isolation=True,
    ),
    Row(
        name="isolation-left-process",
        attack="Leave a process behind that attacks later plans and applies",
        tried="a provider binary in the pull request that starts a process in a session of its own",
        refused_by="the executor, which kills all processes of a command's user when it ends",
        attempt=lambda target: Outcome(_left_behind(target)[1], f"outlives the plan: {_left_behind(target)[1]}"),
        control=lambda target: shown_in(_left_behind(target)[0], "lives"),
        isolation=True,
    ),
    Row(
        name="isolation-plan-file",
        attack="Replace the plan of another project after it was shown, so that the approved apply does something else",
        tried="a provider binary of the first project that leaves a process, which overwrites the second project's plan file",
        refused_by="the executor, which kills that process before it reads a plan file, and the server's record of the plan's hash",
        attempt=lambda target: Outcome(
            "Apply complete" not in _replaced(target)[1].text, f"the apply said: {_replaced(target)[1].gist}"
        ),
        control=lambda target: shown_in(_replaced(target)[0], "Plan: 1 to add"),
        isolation=True,
    ),
    Row(
        name="isolation-apply-environment",
        attack="Read the environment of an apply that runs at the same time",
        tried="a provider binary in the pull request that polls /proc/*/environ while another pull request is applied",
        refused_by=_CONTAINERS,
        attempt=_read_of_apply,
        control=lambda target: shown_in(_beside_an_apply(target)[0], "PATH="),
        isolation=True,
    ),
)
