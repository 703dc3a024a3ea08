"""Runs Terraform in a separate directory with this machine's official AWS provider on a local AWS."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

from sandbox.conformance.naming import ProviderSchema
from sandbox.testbed.files import write_json
from sandbox.testbed.local_aws import LocalAws
from sandbox.testbed.paths import CACHE
from sandbox.testbed.terraform_provider import VERSION, TerraformProvider


class TerraformError(Exception):
    """Terraform failed. ``by_address`` has the errors; those without a resource have an empty address."""

    def __init__(self, verb: str, by_address: Mapping[str, Sequence[str]]) -> None:
        lines = [f"{address or '-'}: {text}" for address, texts in by_address.items() for text in texts]
        super().__init__(f"terraform {verb} failed:\n" + "\n".join(lines))
        self.by_address = by_address


class Terraform:
    """An initialised working directory. ``credentials`` are environment variables; by default, the account's root calls AWS."""

    def __init__(
        self,
        directory: Path,
        provider: TerraformProvider,
        aws: LocalAws,
        credentials: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        self._directory, self._aws, self._credentials = directory, aws, credentials
        directory.mkdir(parents=True, exist_ok=True)
        provider.write_configuration(directory / "terraform.tfrc")
        self.configure({})
        self._run("init", "-input=false")

    def configure(
        self,
        resources: Mapping[str, Mapping[str, Any]],
        data_sources: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
    ) -> None:
        """Set the configuration to ``resources`` and ``data_sources`` (type, then name, to arguments)."""
        configuration: dict[str, Any] = {
            "terraform": {"required_providers": {"aws": {"source": "hashicorp/aws", "version": VERSION}}},
            "provider": {"aws": {"s3_use_path_style": True}},
        }
        if resources:
            configuration["resource"] = resources
        if data_sources:
            configuration["data"] = data_sources
        write_json(self._directory / "main.tf.json", configuration)

    def schema(self) -> ProviderSchema:
        """The provider's resource types, cached because reading them takes seconds."""
        kept = CACHE / f"terraform-provider-aws-{VERSION}-schema.json"
        if not kept.exists():
            kept.parent.mkdir(parents=True, exist_ok=True)
            kept.write_text(self._run("providers", "schema", "-json"), encoding="utf-8")
        ((address, schema),) = json.loads(kept.read_text(encoding="utf-8"))["provider_schemas"].items()
        return ProviderSchema(address, schema["resource_schemas"])

    def assume(self, provider: str, resources: Mapping[tuple[str, str], tuple[int, Mapping[str, Any]]]) -> None:
        """Write ``resources`` (type and name to schema version and attributes) to the state, as if they were applied."""
        instances = [
            {
                "mode": "managed",
                "type": type_,
                "name": name,
                "provider": f'provider["{provider}"]',
                "instances": [{"schema_version": version, "attributes": attributes}],
            }
            for (type_, name), (version, attributes) in resources.items()
        ]
        state = {"version": 4, "serial": 1, "lineage": "conformance", "outputs": {}, "resources": instances}
        write_json(self._directory / "terraform.tfstate", state)

    def validate(self) -> None:
        """Have the provider check the arguments of the configuration, and Terraform its references."""
        self._run("validate")

    def apply(self) -> None:
        """Apply the configuration."""
        self._stream("apply", "-auto-approve", "-parallelism=30")

    def plan(self, *, refresh: bool = True) -> list[dict[str, Any]]:
        """The resource changes of a plan, without those that change nothing."""
        changes = self.plan_document(refresh=refresh).get("resource_changes", [])
        return [change for change in changes if change["change"]["actions"] != ["no-op"]]

    def plan_document(self, *, refresh: bool = True) -> dict[str, Any]:
        """A plan in the format of ``terraform show -json``."""
        self.write_plan(refresh=refresh)
        return json.loads(self._run("show", "-json", "plan"))

    def write_plan(self, *, refresh: bool = True) -> None:
        """Plan into a file of the working directory."""
        self._stream("plan", "-out=plan", "-parallelism=30", f"-refresh={str(refresh).lower()}")

    def _stream(self, verb: str, *arguments: str) -> None:
        errors: dict[str, list[str]] = {}
        code, output = self._call(verb, "-json", "-input=false", *arguments)
        for line in output.splitlines():
            diagnostic = json.loads(line).get("diagnostic") if line.startswith("{") else None
            if diagnostic and diagnostic["severity"] == "error":
                text = f"{diagnostic['summary']} {diagnostic.get('detail', '')}".strip()
                errors.setdefault(diagnostic.get("address", ""), []).append(text)
        if errors or code:
            raise TerraformError(verb, errors or {"": [output[-2000:]]})

    def _run(self, *arguments: str) -> str:
        code, output = self._call(*arguments)
        if code:
            raise TerraformError(arguments[0], {"": [output[-2000:]]})
        return output

    def _call(self, *arguments: str) -> tuple[int, str]:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_"))},
            **self._aws.environment(),
            **self._credentials,
            "TF_CLI_CONFIG_FILE": str(self._directory / "terraform.tfrc"),
            "TF_IN_AUTOMATION": "1",
        }
        done = subprocess.run(
            ["terraform", *arguments], cwd=self._directory, env=environment, capture_output=True, text=True, check=False
        )
        return (
            done.returncode,
            done.stdout if done.returncode == 0 or "-json" in arguments else done.stdout + done.stderr,
        )
