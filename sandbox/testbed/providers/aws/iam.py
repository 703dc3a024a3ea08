"""Roles and their policies."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from sandbox.testbed.providers.aws.base import AwsResource
from sandbox.testbed.providers.aws.listing import Listing, output
from sandbox.testbed.providers.resource import Created
from sandbox.testbed.providers.values import Properties

_INLINE_LIMIT = 10_240
_MANAGED_LIMIT = 6_144
_ROLE = "aws:iam/role:Role"


class _IamResource(AwsResource):
    service = "iam"

    def shown_as(self, identity: str, answer: Mapping[str, Any], state: Properties) -> Properties:
        """The policies as strings: botocore parses IAM's policy documents."""
        found = super().shown_as(identity, answer, state)
        for name in self.documents & found.keys():
            found[name] = found[name] if isinstance(found[name], str) else json.dumps(found[name])
        return found


class Role(_IamResource):
    """An IAM role."""

    sdk_name = _ROLE

    def update(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        if "assumeRolePolicy" in changed:
            self.client.update_assume_role_policy(RoleName=identity, PolicyDocument=inputs["assumeRolePolicy"])
        super().update(identity, inputs, changed)

    def shown_as(self, identity: str, answer: Mapping[str, Any], state: Properties) -> Properties:
        date = answer["CreateDate"].strftime("%Y-%m-%dT%H:%M:%SZ")
        return {**super().shown_as(identity, answer, state), "createDate": date}

    def remove(self, identity: str, state: Properties) -> None:
        """Inline policies and attachments are deleted only with `forceDetachPolicies`."""
        if state.get("forceDetachPolicies"):
            for name in self.client.list_role_policies(RoleName=identity)["PolicyNames"]:
                self.client.delete_role_policy(RoleName=identity, PolicyName=name)
            for policy in self.client.list_attached_role_policies(RoleName=identity)["AttachedPolicies"]:
                self.client.detach_role_policy(RoleName=identity, PolicyArn=policy["PolicyArn"])
        super().remove(identity, state)


def _size(document: str) -> int:
    """The number of characters without white space, as IAM counts."""
    return len(re.sub(r"\s", "", document))


class RolePolicy(_IamResource):
    """An inline policy. IAM limits the total size of a role's inline policies, without white space."""

    sdk_name = "aws:iam/rolePolicy:RolePolicy"
    listing: ClassVar = Listing(
        "list_role_policies", "PolicyNames[]", _ROLE, "RoleName", name=lambda role, policy: f"{role}:{policy}"
    )

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        """A single policy can't exceed the limit for all inline policies of a role."""
        yield from super().rules(inputs)
        size = _size(inputs.get("policy", ""))
        if size > _INLINE_LIMIT:
            yield "policy", f"is {size} characters long; IAM allows {_INLINE_LIMIT} for all inline policies of a role"

    def create(self, inputs: Properties) -> Created:
        """Check the total size of the role's inline policies, which the local AWS doesn't enforce."""
        role = inputs["role"]
        others = self.client.list_role_policies(RoleName=role)["PolicyNames"]
        kept = [self.describe(self.named.format(role=role, name=name), {}) for name in others if name != inputs["name"]]
        size = sum(_size(policy["policy"]) for policy in [inputs, *filter(None, kept)])
        if size > _INLINE_LIMIT:
            raise ValueError(f"role {role}: inline policies of {size} characters; IAM allows {_INLINE_LIMIT} in all")
        return super().create(inputs)

    def update(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        self.create(inputs)


class Policy(_IamResource):
    """A customer managed policy. IAM keeps up to five versions, and its size limit doesn't count white space."""

    sdk_name = "aws:iam/policy:Policy"

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        yield from super().rules(inputs)
        size = _size(inputs.get("policy", ""))
        if size > _MANAGED_LIMIT:
            yield "policy", f"is {size} characters long; IAM allows {_MANAGED_LIMIT} for a managed policy"

    def found(self, identity: str, state: Properties) -> dict[str, Any]:
        policy = super().found(identity, state)
        version = self.client.get_policy_version(PolicyArn=identity, VersionId=policy["DefaultVersionId"])
        return {**policy, "PolicyDocument": version["PolicyVersion"]["Document"]}

    def update(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        """Create a new default version and delete the previous one."""
        old = self.found(identity, {})["DefaultVersionId"]
        self.client.create_policy_version(PolicyArn=identity, PolicyDocument=inputs["policy"], SetAsDefault=True)
        self.client.delete_policy_version(PolicyArn=identity, VersionId=old)

    def remove(self, identity: str, state: Properties) -> None:
        for version in self.client.list_policy_versions(PolicyArn=identity)["Versions"]:
            if not version["IsDefaultVersion"]:
                self.client.delete_policy_version(PolicyArn=identity, VersionId=version["VersionId"])
        super().remove(identity, state)


class RolePolicyAttachment(AwsResource):
    """The attachment of a managed policy to a role."""

    sdk_name = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
    listing: ClassVar = Listing(
        "list_attached_role_policies",
        "AttachedPolicies[].PolicyArn",
        _ROLE,
        "RoleName",
        name=lambda role, policy: f"{role} {policy}",
        known=output("role", "policyArn"),
    )
