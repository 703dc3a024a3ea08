"""Runs Pulumi programs with mocks and prints their resources as JSON: ``python -m tests.policy.run_program DIRECTORY...``.

For programs of types that the sandbox's provider doesn't have. Ids, names and ARNs are made up, so that the resources refer to
each other as those of a deployed stack do.
"""

import json
import runpy
import sys
from pathlib import Path
from typing import Any

import pulumi
from google.protobuf import json_format
from pulumi.runtime import mocks

REGISTERED: list[dict[str, Any]] = []


class _Cloud(mocks.Mocks):
    def new_resource(self, args: mocks.MockResourceArgs) -> tuple[str, dict[str, Any]]:
        module, _, kind = args.typ.removeprefix("aws:").partition(":")[0].partition("/")
        identity = f"{kind}-{args.name}"
        made = {
            "name": args.name,
            "identifier": args.name,
            "arn": f"arn:aws:{module}:eu-west-1:123456789012:{kind}/{args.name}",
        }
        if args.typ == "aws:s3/bucket:Bucket":
            identity = args.inputs["bucket"]
            made = {"arn": f"arn:aws:s3:::{identity}", "bucketRegionalDomainName": f"{identity}.s3.amazonaws.com"}
        return identity, {**made, "executionArn": made["arn"], "invokeArn": made["arn"], **args.inputs}

    def call(self, args: mocks.MockCallArgs) -> Any:
        raise NotImplementedError(f"the program calls {args.token}, which has no mock")


class _Monitor(mocks.MockMonitor):
    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the name of the call
        response = super().RegisterResource(request)
        inputs = json_format.MessageToDict(request.object)
        outputs = json_format.MessageToDict(response.object)
        REGISTERED.append(
            {
                "type": request.type,
                "name": request.name,
                "urn": response.urn,
                "protect": request.protect,
                "inputs": inputs,
                "outputs": {**outputs, "id": response.id},
                "dependencies": {name: list(each.urns) for name, each in request.propertyDependencies.items()},
                "provider": request.provider.rpartition("::")[0],
            }
        )
        return response


def main(directories: list[Path]) -> None:
    """Run each program and print what it registered, by the name of its directory."""
    found: dict[str, list[dict[str, Any]]] = {}
    for directory in directories:
        REGISTERED.clear()
        pulumi.runtime.set_mocks(_Cloud(), project=directory.name, stack="dev", monitor=_Monitor(_Cloud()))
        pulumi.runtime.test(
            lambda program=directory: runpy.run_path(str(program / "__main__.py"), run_name="__main__")
        )()
        found[directory.name] = list(REGISTERED)
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main([Path(argument) for argument in sys.argv[1:]])
