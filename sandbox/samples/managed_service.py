"""A sample repository with a small service, which uses a deployed stack's state bucket and permissions boundary."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sandbox.atlantis.terraform_roles import TerraformRoles
from sandbox.substitutes.existing_resources import ExistingResources
from sandbox.testbed.containers.deployed_service import DeployedService
from sandbox.testbed.errors import SandboxError
from sandbox.testbed.local_aws import LocalAws

_CONFIGURATION = Path(__file__).parent / "fileflow" / "main.tf"
_REPOSITORY = re.compile(r"\$\{aws:PrincipalTag/[^}]+\}")
_BACKEND = """terraform {{
  backend "s3" {{
    bucket         = "{bucket}"
    key            = "{key}/terraform.tfstate"
    region         = "{region}"
    dynamodb_table = "{table}"
    encrypt        = true
  }}
}}
"""


def files(service: DeployedService, repository: str, key: str, **variables: Any) -> dict[str, str]:
    """Return the files of ``repository`` (owner/name) by name; ``variables`` are additional Terraform variables.

    The key of the state starts with the stack's state prefix, if it has one.

    Raises:
        SandboxError: the role of applies isn't allowed to use a state bucket and a lock table, or to create roles.
    """
    role = TerraformRoles.of(service).names["apply"]
    statements = [item for item in _statements(service, role) if item["Effect"] == "Allow"]
    buckets, tables, roles = (
        _about(statements, action) for action in ("s3:PutObject", "dynamodb:PutItem", "iam:CreateRole")
    )
    if not (buckets and tables and roles):
        raise SandboxError(
            f"Terraform can't keep a state or create roles as {role}; set terraformStateBuckets, terraformLockTables and "
            "managedNamePrefixes, and run `make up`"
        )
    boundary = roles["Condition"]["StringEquals"]["iam:PermissionsBoundary"]
    subnets = ExistingResources(service.state, LocalAws(service.endpoint)).sample_subnets()
    bucket, _, prefix = buckets["Resource"][0].removesuffix("*").partition(":::")[2].partition("/")
    backend = _BACKEND.format(
        bucket=bucket,
        table=tables["Resource"][0].rpartition("/")[2],
        region=service.region,
        key=_REPOSITORY.sub(repository, prefix) + key,
    )
    return {
        "main.tf": _CONFIGURATION.read_text(encoding="utf-8"),
        "backend.tf": backend,
        "settings.auto.tfvars.json": json.dumps({"boundary": boundary, "subnet_ids": subnets, **variables}, indent=2)
        + "\n",
    }


def _about(statements: list[dict[str, Any]], action: str) -> dict[str, Any] | None:
    return next((item for item in statements if action in item["Action"]), None)


def _statements(service: DeployedService, role: str) -> Iterator[dict[str, Any]]:
    iam = service.client("iam")
    for attached in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        policy = iam.get_policy(PolicyArn=attached["PolicyArn"])["Policy"]
        version = iam.get_policy_version(PolicyArn=policy["Arn"], VersionId=policy["DefaultVersionId"])
        yield from version["PolicyVersion"]["Document"]["Statement"]
