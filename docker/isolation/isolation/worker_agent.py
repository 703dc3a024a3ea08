"""The program of a worker's container `agent`: AWS sessions for the executor's commands, and task protection while they run.

It never runs a pull request's code, and a pull request's code can't ask it: its socket is root's.
"""

import json
import sys
from collections.abc import Mapping

from isolation import aws, parts, paths, questions
from isolation.broker import Broker, Roles
from isolation.parts import Part
from isolation.protocol import ProtocolError
from isolation.task_protection import TaskProtection


def main() -> None:
    """Run until SIGTERM."""
    if sys.argv[1:] not in [[role] for role in paths.ROLES]:
        sys.exit(f"worker-agent: name the kind of this worker, {' or '.join(paths.ROLES)}")
    parts.run(lambda environment: _parts(sys.argv[1], environment))


def _parts(role: str, environment: Mapping[str, str]) -> dict[str, Part]:
    task_role, region = aws.TaskRole(environment), environment["AWS_REGION"]
    # The default role's ARN, the tag of its sessions, and pairs of a pattern and an ARN.
    configured = json.loads(environment["ISOLATION_ROLES"])
    patterns = [(pattern, arn) for pattern, arn in configured.get("patterns", [])]
    roles = Roles(configured["default"], patterns, configured.get("tag", ""))

    def assume(role_arn: str, session_name: str, tags: Mapping[str, str]) -> aws.Session:
        return aws.assume_role(task_role, role_arn, session_name, tags, region)

    protection = TaskProtection(_running, environment["ECS_AGENT_URI"])
    # A session is asked for when a command starts, which may be in the middle of two looks.
    broker = Broker(role, paths.BROKER_SOCKET, roles, assume, protection.expect)
    return {"broker": lambda _: broker.serve(), "task-protection": protection.run}


def _running() -> int | None:
    try:
        return questions.ask_here("status")["running"]
    except (OSError, ProtocolError, ValueError, KeyError):
        return None
