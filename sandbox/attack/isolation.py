"""Attacks of a plan on what isn't its own: the server, other pull requests, an apply, and AWS with more than a plan's rights.

A stack denies them with `terraformIsolation: tasks`. The provider of the pull request runs as the plan does.
"""

import re
import secrets
from collections.abc import Callable, Mapping

from sandbox.attack.backend import state_bucket
from sandbox.attack.plan_session import called
from sandbox.attack.provider import run_in_plan
from sandbox.attack.pull_requests import HARMLESS, planned
from sandbox.attack.row import Outcome, Row, row, row_of_one_run
from sandbox.attack.target import Target

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
tr '\\0' '\\n' <"/proc/$$/environ" | sed -n 's/^\\(PATH\\)=.*/has \\1/p'
"""
# The data directory, also where the command doesn't have its variable.
_DATA = "data=${PWD%%/repos/*}\n"
_SERVER_DATA = f"""{_DATA}
mkdir -p "$data/bin" 2>/dev/null
for file in "$data/bin/terraform1.5.7" "$data/next-to-the-locks" "$data/plugin-cache/any" "$HOME/../.gitconfig-attack"; do
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
[ -e .terraform/modules/private/main.tf ] && echo 'x-access-''token' >"$planted/planted"
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

def replaced(path):
    try:
        os.rename(path, path + ".moved")
        os.rename(path + ".moved", path)
        return True
    except OSError:
        return False

found = [line.split()[-1] for line in open("/proc/net/unix") if line.rstrip().endswith(".sock")]
for path in sorted(set(found) | {f"/run/isolation/{name}" for name in
        ("executor/executor.sock", "broker/agent.sock", "workers/dispatcher.sock", "workers/wake")}):
    if path.startswith("/run/isolation/") and (reached(path) or replaced(path)):
        print("reached", path)
with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as own:
    own.bind(os.path.join(folder, "own"))
    own.listen()
    print("own socket" if reached(os.path.join(folder, "own")) else "no socket")
PYTHON
"""


def _row(
    name: str,
    body: str,
    reached: str,
    control: str,
    *,
    before: str = "",
    files: Callable[[Target], Mapping[str, str]] = lambda _target: {},
) -> Row:
    """An attack that is allowed if the output of ``body`` in a plan has ``reached``; the control is a line with ``control``.

    The pull request also has ``files``.
    """

    def output(target: Target) -> str:
        if before:
            planned(target, before, {"main.tf": HARMLESS})
        return run_in_plan(target, name, body, more=files(target))[0]

    def matched(pattern: str) -> Callable[[str], Outcome]:
        def judge(said: str) -> Outcome:
            found = re.search(pattern, said, re.MULTILINE)
            return Outcome(found is not None, found[0] if found else f"nothing of it: {said[:200]!r}")

        return judge

    return row_of_one_run(name, output, matched(reached), matched(control))


def _private_module(target: Target) -> dict[str, str]:
    """A module in a separate repository, which GitHub gives with a token only."""
    repository = target.repository(f"module-{secrets.token_hex(3)}")
    target.github.create_repository(repository, {"main.tf": 'output "said" {\n  value = "from the module"\n}\n'})
    source = f"git::https://github.com/{repository}.git"
    return {"module.tf": f'module "private" {{\n  source = "{source}"\n}}\n'}


def _aws(target: Target, call: str) -> Outcome:
    bucket = f'"$AWS_ENDPOINT_URL/{state_bucket(target)}'
    calls = {"write": f'-X PUT -d attack {bucket}/attack-of-a-plan"', "read": f'{bucket}?versioning="'}
    status = called(target, "isolation-aws", calls)[call]
    return Outcome(status == 200, f"{call} was answered with {status}")


ROWS = (
    _row("server-process", _SERVER, "^reached the server", "^reached a child"),
    _row("isolation-task-role", _TASK_ROLE, "^has (AWS_CONTAINER_|ECS_).*", "^has PATH"),
    _row("isolation-server-data", _SERVER_DATA, "^wrote .*", "^own file written"),
    _row(
        "isolation-other-pull-requests",
        _OTHER_PULL_REQUESTS,
        "^(read|write) .*",
        "^own main.tf",
        before="isolation-victim",
    ),
    _row("isolation-token", _TOKENS, "^token in (?!.*/planted$).*", "^token in .*/planted$", files=_private_module),
    _row("isolation-sockets", _SOCKETS, "^reached .*", "^own socket"),
    row("isolation-aws-write", lambda target: _aws(target, "write"), lambda target: _aws(target, "read")),
)
