"""The roles that Terraform created under the stack's permissions boundary, which IAM doesn't delete while a role has it."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sandbox.testbed.local_aws.instance import LocalAws


def find(aws: LocalAws, resources: Iterable[Mapping[str, Any]]) -> list[str]:
    """The names of roles outside of the engine's ``resources`` whose boundary is one of its policies."""
    listed = list(resources)
    policies = {item["outputs"]["arn"] for item in listed if item["type"] == "aws:iam/policy:Policy"}
    own = {item["id"] for item in listed if item["type"] == "aws:iam/role:Role"}
    if not policies:
        return []
    iam = aws.client("iam")
    pages = iam.get_paginator("list_roles").paginate()
    others = [role["RoleName"] for page in pages for role in page["Roles"] if role["RoleName"] not in own]
    # list_roles doesn't return boundaries.
    boundaries = {name: iam.get_role(RoleName=name)["Role"].get("PermissionsBoundary", {}) for name in others}
    return sorted(name for name, found in boundaries.items() if found.get("PermissionsBoundaryArn") in policies)


def blocked_by(roles: Sequence[str]) -> str:
    """Why the stack can't be destroyed, and the commands that detach the boundary from ``roles``."""
    listed = "\n".join(f"  aws iam delete-role-permissions-boundary --role-name {role}" for role in roles)
    return (
        f"Nothing was destroyed: IAM doesn't delete the stack's permissions boundary while {len(roles)} roles that Terraform "
        "created have it. Destroy them with Terraform, or start the local AWS with `make up`, point the AWS CLI at it with "
        f'`eval "$(make -s env)"`, and detach the boundary:\n{listed}\n'
        "Then run `make down` again. `make down FORCE=1` detaches it and deletes the whole local AWS."
    )


def detach(aws: LocalAws, roles: Iterable[str]) -> None:
    """Detach the boundary from ``roles``."""
    for role in roles:
        aws.client("iam").delete_role_permissions_boundary(RoleName=role)
