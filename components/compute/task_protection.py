"""Task protection: a sidecar container that keeps ECS from stopping the task while a plan or an apply runs."""

import dataclasses
from collections.abc import Mapping

import pulumi

from .container_log import awslogs
from .container_privileges import BESIDE_THE_SERVER, NO_CAPABILITIES

CONTAINER = "task-protection"
LOOK_EVERY = 2
"""Seconds between two requests to /status. An operation isn't protected until the next one."""
EXPIRES = 30
"""Minutes after which the protection expires unless it is renewed."""
RENEW_EVERY = 300
"""Seconds between two renewals."""
CPU = 16
"""CPU units in addition to those of containers that have some: Without, they would leave it nothing while they are busy."""
STOP_TIMEOUT = 10
"""Seconds. The container has no work to finish."""

_SCRIPT = """
status=http://localhost:{port}/status
protection=$ECS_AGENT_URI/task-protection/v1/state
trap 'exit 0' TERM INT

set_protection() {{
  answer=$(curl -sS -m 10 -X PUT -H 'Content-Type: application/json' -d "$1" "$protection" 2>&1)
  case $(echo "$answer" | tr -d ' \\n') in
    *'"ProtectionEnabled":'$2*) return 0 ;;
  esac
  [ "$answer" = "$refused" ] || echo "task protection can't be set to $2: $answer"
  refused=$answer
  return 1
}}

# Whatever an earlier run of this container left is released by the first look that finds the server idle.
protected=unknown renew=0 refused=
while :; do
  operations=$(curl -fsS -m 5 "$status" 2>/dev/null | tr -d ' \\n' | sed -n 's/.*"in_progress_operations":\\([0-9]*\\).*/\\1/p')
  now=$(date +%s)
  if [ "${{operations:-none}}" = none ]; then
    : # A server that doesn't answer is neither busy nor idle: what is protected stays so until it expires.
  elif [ "$operations" -gt 0 ]; then
    if [ "$protected" != yes ] || [ "$now" -ge "$renew" ]; then
      if set_protection '{{"ProtectionEnabled":true,"ExpiresInMinutes":{expires}}}' true; then
        [ "$protected" = yes ] || echo "protected: operations in progress: $operations"
        protected=yes renew=$((now + {renew}))
      fi
    fi
  elif [ "$protected" != no ]; then
    if set_protection '{{"ProtectionEnabled":false}}' false; then
      [ "$protected" = yes ] && echo "released: no operation in progress"
      protected=no
    fi
  fi
  sleep {every} &
  wait $!
done
"""


@dataclasses.dataclass(kw_only=True)
class TaskProtectionInputs:
    """The values that the container shares with the server's container."""

    image: pulumi.Input[str]
    user: str
    """`uid:gid` that the container runs with."""
    port: int
    """The port on which the server responds to /status."""
    log_group: pulumi.Input[str]
    region: str
    cpu: int = 0
    """CPU units that the container has while the task is busy; 0: as little as ECS gives."""


def container(args: TaskProtectionInputs) -> Mapping[str, object]:
    """The container definition. It has no secrets, volumes or ports, and logs to the task's log group."""
    return {
        "name": CONTAINER,
        "image": args.image,
        **({"cpu": args.cpu} if args.cpu else {}),
        **BESIDE_THE_SERVER,
        "user": args.user,
        "linuxParameters": NO_CAPABILITIES,
        "entryPoint": ["/bin/sh", "-c"],
        "command": [script(args.port)],
        "stopTimeout": STOP_TIMEOUT,
        "logConfiguration": awslogs(args.log_group, args.region, CONTAINER),
    }


def script(port: int, *, look_every: float = LOOK_EVERY, renew_every: int = RENEW_EVERY) -> str:
    """The shell program that the container runs, for the POSIX shell, curl, sed and tr of the image; times in seconds."""
    return _SCRIPT.format(port=port, expires=EXPIRES, renew=renew_every, every=look_every).strip()
