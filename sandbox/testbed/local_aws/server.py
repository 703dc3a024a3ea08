"""The process of the local AWS: ministack, patched to send the head and body of each response in one write.

hypercorn sends them in two writes. If the head arrives before a client of the AWS SDK for Go has returned from its last
write, the client may close the connection and retry the request (https://github.com/aws/aws-sdk-go-v2/issues/2737). A
network is too slow for this race, but loopback on a busy machine isn't. Terraform then finds the state lock that its
own first ``PutItem`` created, and fails.
"""

import os
import re
from pathlib import Path
from typing import Any

from hypercorn.asyncio.tcp_server import TCPServer
from hypercorn.events import Event, RawData
from ministack.app import main as serve

from sandbox.testbed.iam_evaluation import evaluator
from sandbox.testbed.local_aws import (
    application_autoscaling,
    cache_snapshots,
    completed_answers,
    completed_buckets,
    completed_networks,
    ecs_tasks,
    enforcement,
    missing_objects,
    recovery_points,
    security_group_rules,
    unsupported_calls,
)
from sandbox.testbed.local_aws.condition_keys import add_condition_keys, present_connections_as_tls
from sandbox.testbed.local_aws.task_status import RECORDS

# An informational (1xx) response has no body and must be sent immediately.
_HEAD = re.compile(rb"HTTP/1\.1 [2-5]\d\d ")


class _WholeAnswers:
    """Delays a response's head until the first part of the body or the end of the response."""

    def __init__(self, server: TCPServer) -> None:
        self._write = server.protocol_send
        self._head = b""

    async def send(self, event: Event) -> None:
        """Write ``event`` in place of hypercorn's ``protocol_send``."""
        if isinstance(event, RawData):
            if not self._head and _HEAD.match(event.data):
                self._head = event.data
                return
            event = RawData(self._head + event.data, event.address)
            self._head = b""
        await self._write(event)


def main() -> None:
    """Serve until SIGTERM. Environment variables configure ministack."""
    begin = TCPServer.__init__

    def with_whole_answers(self: TCPServer, *arguments: Any, **named: Any) -> None:
        begin(self, *arguments, **named)
        self.protocol_send = _WholeAnswers(self).send

    TCPServer.__init__ = with_whole_answers
    add_condition_keys()
    present_connections_as_tls()
    completed_answers.install()
    completed_buckets.install()
    completed_networks.install()
    security_group_rules.install()
    application_autoscaling.install()
    unsupported_calls.install()
    state = Path(os.environ["STATE_DIR"]).parents[1]
    recovery_points.install(state)
    cache_snapshots.install(state)
    ecs_tasks.install(state / RECORDS)
    if evaluator.is_installed():
        enforcement.install()
        missing_objects.install()
    serve()


if __name__ == "__main__":
    main()
