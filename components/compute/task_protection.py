"""Task protection: a sidecar container that keeps ECS from stopping the task while a plan or an apply runs."""

from collections.abc import Mapping

from ..parts import Parts
from .container import NO_CAPABILITIES, SIDECAR, TaskLogs, awslogs, image_of
from .server_container import server_user

CONTAINER = "task-protection"
LOOK_EVERY = 2
"""Seconds between two requests to /status. An operation isn't protected until the next one."""
EXPIRES = 30
"""Minutes after which the protection expires unless it is renewed."""
RENEW_EVERY = 300
"""Seconds between two renewals."""
CPU = 16
"""CPU units next to containers that have some, which would leave it nothing while they are busy."""
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


def container(parts: Parts, logs: TaskLogs, *, cpu: int) -> Mapping[str, object]:
    """The container definition. It has no secrets, volumes or ports, and logs to the task's log group.

    `cpu`: units while the task is busy, or 0.
    """
    return {
        "name": CONTAINER,
        "image": image_of(parts),
        **({"cpu": cpu} if cpu else {}),
        **SIDECAR,
        "user": server_user(parts),
        "linuxParameters": NO_CAPABILITIES,
        "entryPoint": ["/bin/sh", "-c"],
        "command": [script(parts.settings.task.container_port)],
        "stopTimeout": STOP_TIMEOUT,
        "logConfiguration": awslogs(logs.group, parts.context.names.region, CONTAINER),
    }


def script(port: int, *, look_every: float = LOOK_EVERY, renew_every: int = RENEW_EVERY) -> str:
    """The shell program that the container runs, for the POSIX shell, curl, sed and tr of the image; times in seconds."""
    return _SCRIPT.format(port=port, expires=EXPIRES, renew=renew_every, every=look_every).strip()
