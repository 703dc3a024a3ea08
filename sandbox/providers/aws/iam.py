"""Roles and their policies."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, ClassVar

from sandbox.providers.aws.base import AwsResource, mapped, pairs, rename_tags
from sandbox.providers.aws.listing import Listing, argument, output
from sandbox.providers.resource import Created
from sandbox.providers.values import Properties

_INLINE_LIMIT = 10_240
_MANAGED_LIMIT = 6_144


class Role(AwsResource):
    """A role."""

    sdk_name = "aws:iam/role:Role"
    service = "iam"
    operation = "CreateRole"
    listing: ClassVar = Listing("list_roles", "Roles[?!starts_with(Path, '/aws-service-role/')].RoleName")
    name_limit = 64
    renamed: ClassVar = {"name": "RoleName", "assumeRolePolicy": "AssumeRolePolicyDocument"}
    defaults: ClassVar = {"forceDetachPolicies": False, "maxSessionDuration": 3600, "path": "/"}
    write_only: ClassVar = frozenset({"forceDetachPolicies"})
    in_place: ClassVar = frozenset(
        {"assumeRolePolicy", "description", "maxSessionDuration", "permissionsBoundary", "forceDetachPolicies"}
    )
    documents: ClassVar = frozenset({"assumeRolePolicy"})

    def create(self, inputs: Properties) -> Created:
        """The id is the name."""
        tags = {"Tags": pairs(inputs["tags"])} if inputs.get("tags") else {}
        return Created(self.client.create_role(**self.request(inputs), **tags)["Role"]["RoleName"])

    def configure(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        """Each has a call of its own."""
        named = {"RoleName": identity}
        if "assumeRolePolicy" in changed:
            self.client.update_assume_role_policy(**named, PolicyDocument=inputs["assumeRolePolicy"])
        if changed & {"description", "maxSessionDuration"}:
            about = {"Description": inputs.get("description", "")}
            self.client.update_role(**named, **about, MaxSessionDuration=inputs["maxSessionDuration"])
        if "permissionsBoundary" in changed:
            if inputs.get("permissionsBoundary"):
                self.client.put_role_permissions_boundary(**named, PermissionsBoundary=inputs["permissionsBoundary"])
            else:
                self.client.delete_role_permissions_boundary(**named)
        if "tags" in changed:
            added, removed = rename_tags(self._tags(identity), inputs.get("tags") or {})
            if added:
                self.client.tag_role(**named, Tags=pairs(added))
            if removed:
                self.client.untag_role(**named, TagKeys=removed)

    def _tags(self, identity: str) -> dict[str, str]:
        return mapped(self.client.list_role_tags(RoleName=identity)["Tags"])

    def describe(self, identity: str, state: Properties) -> Properties | None:
        """As IAM says."""
        del state
        role = self.client.get_role(RoleName=identity)["Role"]
        found = self.properties(role, "arn")
        found["uniqueId"] = role["RoleId"]
        found["createDate"] = role["CreateDate"].strftime("%Y-%m-%dT%H:%M:%SZ")
        found["assumeRolePolicy"] = _json(role["AssumeRolePolicyDocument"])
        found["permissionsBoundary"] = role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
        return {**found, "tags": self._tags(identity)}

    def remove(self, identity: str, state: Properties) -> None:
        """With what hangs on it only where the program says so."""
        if state.get("forceDetachPolicies"):
            for name in self.client.list_role_policies(RoleName=identity)["PolicyNames"]:
                self.client.delete_role_policy(RoleName=identity, PolicyName=name)
            for policy in self.client.list_attached_role_policies(RoleName=identity)["AttachedPolicies"]:
                self.client.detach_role_policy(RoleName=identity, PolicyArn=policy["PolicyArn"])
        self.client.delete_role(RoleName=identity)


def _json(document: Any) -> str:
    return document if isinstance(document, str) else json.dumps(document)


def _size(document: str) -> int:
    """Characters as IAM counts them: without white space."""
    return len(re.sub(r"\s", "", document))


class RolePolicy(AwsResource):
    """An inline policy. IAM counts all of a role's together, without white space."""

    sdk_name = "aws:iam/rolePolicy:RolePolicy"
    service = "iam"
    operation = "PutRolePolicy"
    listing: ClassVar = Listing(
        "list_role_policies",
        "PolicyNames[]",
        "aws:iam/role:Role",
        argument("RoleName"),
        name=lambda role, policy: f"{role}:{policy}",
    )
    name_limit = 128
    renamed: ClassVar = {"name": "PolicyName", "policy": "PolicyDocument", "role": "RoleName"}
    in_place: ClassVar = frozenset({"policy"})
    documents: ClassVar = frozenset({"policy"})

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        """The limit for one is the limit for all of a role's."""
        yield from super().rules(inputs)
        size = _size(inputs.get("policy", ""))
        if size > _INLINE_LIMIT:
            yield "policy", f"is {size} characters long; IAM allows {_INLINE_LIMIT} for all inline policies of a role"

    def create(self, inputs: Properties) -> Created:
        """The id is `role:name`."""
        self._put(inputs)
        return Created(f"{inputs['role']}:{inputs['name']}")

    def _put(self, inputs: Properties) -> None:
        # The local AWS does not enforce the limit over a role's policies together.
        others = sum(
            _size(self._document(inputs["role"], name))
            for name in self.client.list_role_policies(RoleName=inputs["role"])["PolicyNames"]
            if name != inputs["name"]
        )
        size = others + _size(inputs["policy"])
        if size > _INLINE_LIMIT:
            raise ValueError(
                f"role {inputs['role']}: inline policies of {size} characters; IAM allows {_INLINE_LIMIT} in all"
            )
        self.client.put_role_policy(**self.request(inputs))

    def _document(self, role: str, name: str) -> str:
        return _json(self.client.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"])

    def configure(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        """Put it again."""
        del identity
        if "policy" in changed:
            self._put(inputs)

    def describe(self, identity: str, state: Properties) -> Properties | None:
        """As IAM says."""
        del state
        role, _, name = identity.partition(":")
        return {"role": role, "name": name, "policy": self._document(role, name)}

    def remove(self, identity: str, state: Properties) -> None:
        """The role stays."""
        del state
        role, _, name = identity.partition(":")
        self.client.delete_role_policy(RoleName=role, PolicyName=name)


class Policy(AwsResource):
    """A policy of the customer's own. IAM keeps five versions and counts characters without white space."""

    sdk_name = "aws:iam/policy:Policy"
    service = "iam"
    operation = "CreatePolicy"
    listing: ClassVar = Listing("list_policies", "Policies[].Arn", arguments={"Scope": "Local"})
    name_limit = 128
    renamed: ClassVar = {"name": "PolicyName", "policy": "PolicyDocument"}
    defaults: ClassVar = {"path": "/"}
    in_place: ClassVar = frozenset({"policy"})
    documents: ClassVar = frozenset({"policy"})

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        """One policy's limit."""
        yield from super().rules(inputs)
        size = _size(inputs.get("policy", ""))
        if size > _MANAGED_LIMIT:
            yield "policy", f"is {size} characters long; IAM allows {_MANAGED_LIMIT} for a managed policy"

    def create(self, inputs: Properties) -> Created:
        """The id is the ARN."""
        tags = {"Tags": pairs(inputs["tags"])} if inputs.get("tags") else {}
        return Created(self.client.create_policy(**self.request(inputs), **tags)["Policy"]["Arn"])

    def configure(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        """A new default version in the place of the last one."""
        if "policy" in changed:
            old = self.client.get_policy(PolicyArn=identity)["Policy"]["DefaultVersionId"]
            self.client.create_policy_version(PolicyArn=identity, PolicyDocument=inputs["policy"], SetAsDefault=True)
            self.client.delete_policy_version(PolicyArn=identity, VersionId=old)
        if "tags" in changed:
            added, removed = rename_tags(self._tags(identity), inputs.get("tags") or {})
            if added:
                self.client.tag_policy(PolicyArn=identity, Tags=pairs(added))
            if removed:
                self.client.untag_policy(PolicyArn=identity, TagKeys=removed)

    def _tags(self, identity: str) -> dict[str, str]:
        return mapped(self.client.list_policy_tags(PolicyArn=identity)["Tags"])

    def describe(self, identity: str, state: Properties) -> Properties | None:
        """The default version."""
        del state
        policy = self.client.get_policy(PolicyArn=identity)["Policy"]
        version = self.client.get_policy_version(PolicyArn=identity, VersionId=policy["DefaultVersionId"])
        found = self.properties(policy, "arn")
        found["policyId"] = policy["PolicyId"]
        found["policy"] = _json(version["PolicyVersion"]["Document"])
        return {**found, "tags": self._tags(identity)}

    def remove(self, identity: str, state: Properties) -> None:
        """With its other versions."""
        del state
        for version in self.client.list_policy_versions(PolicyArn=identity)["Versions"]:
            if not version["IsDefaultVersion"]:
                self.client.delete_policy_version(PolicyArn=identity, VersionId=version["VersionId"])
        self.client.delete_policy(PolicyArn=identity)


class RolePolicyAttachment(AwsResource):
    """A managed policy on a role."""

    sdk_name = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
    service = "iam"
    operation = "AttachRolePolicy"
    listing: ClassVar = Listing(
        "list_attached_role_policies",
        "AttachedPolicies[].PolicyArn",
        "aws:iam/role:Role",
        argument("RoleName"),
        name=lambda role, policy: f"{role} {policy}",
        known=output("role", "policyArn"),
    )
    renamed: ClassVar = {"role": "RoleName"}

    def create(self, inputs: Properties) -> Created:
        """The id is `role/arn`, by which it can be imported too."""
        self.client.attach_role_policy(**self.request(inputs))
        return Created(f"{inputs['role']}/{inputs['policyArn']}")

    def describe(self, identity: str, state: Properties) -> Properties | None:
        """Among the role's managed policies."""
        del state
        role, _, policy = identity.partition("/")
        attached = self.client.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
        return {"role": role, "policyArn": policy} if any(p["PolicyArn"] == policy for p in attached) else None

    def remove(self, identity: str, state: Properties) -> None:
        """Role and policy stay."""
        del state
        role, _, policy = identity.partition("/")
        self.client.detach_role_policy(RoleName=role, PolicyArn=policy)
