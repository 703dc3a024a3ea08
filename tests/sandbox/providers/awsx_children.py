"""Prints what `awsx.ec2.Vpc` registers for the inputs given as JSON. A script: the SDK's mocks are global to a process."""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

import pulumi
from pulumi.runtime.stack import run_pulumi_func


class Recorder(pulumi.runtime.Mocks):
    """Gives every resource its name as id, and notes its inputs."""

    def __init__(self) -> None:
        self.made: list[tuple[str, str, dict[str, Any]]] = []

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        """One resource."""
        self.made.append((args.typ, args.name, args.inputs))
        return f"{args.name}-id", args.inputs

    def call(self, args: pulumi.runtime.MockCallArgs) -> Any:
        """The region's zones."""
        assert args.token == "aws:index/getAvailabilityZones:getAvailabilityZones"
        return {"names": ["a", "b", "c"], "id": "region"}


def main(inputs: dict[str, Any]) -> None:
    """Construct and print."""
    recorder = Recorder()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    pulumi.runtime.set_mocks(recorder)

    from sandbox.testbed.providers.awsx.vpc import Vpc

    private: list[str] = []

    async def construct() -> None:
        component = Vpc("v", inputs, pulumi.ResourceOptions())
        private.extend(await pulumi.Output.all(*component.outputs["privateSubnetIds"]).future() or [])

    loop.run_until_complete(run_pulumi_func(construct))
    sys.stdout.write(json.dumps({"made": recorder.made, "private": private}))


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
