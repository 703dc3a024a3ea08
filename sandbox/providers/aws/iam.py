"""Roles and their policies."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, ClassVar

from sandbox.providers.aws.base import AwsResource
from sandbox.providers.aws.calls import Call, Tagging
from sandbox.providers.aws.listing import Listing, argument, output
from sandbox.providers.resource import Created, names
from sandbox.providers.values import Properties

_INLINE_LIMIT = 10_240
_MANAGED_LIMIT = 6_144


class Role(AwsResource):
    """A role."""

    sdk_name = "aws:iam/role:Role"
    service = "iam"
    operation, made = "CreateRole", "Role.RoleName"
    described: ClassVar = Call("get_role", "RoleName", "Role")
    tagging: ClassVar = Tagging("RoleName", "list_role_tags", "tag_role", "untag_role")
    listing: ClassVar = Listing("list_roles", "Roles[?!starts_with(Path, '/aws-service-role/')].RoleName")
    name_limit = 64
    renamed: ClassVar = {"name": "RoleName", "assumeRolePolicy": "AssumeRolePolicyDocument"}
    defaults: ClassVar = {"forceDetachPolicies": False, "maxSessionDuration": 3600, "path": "/"}
    write_only: ClassVar = frozenset({"forceDetachPolicies"})
    in_place: ClassVar = names(
        "assumeRolePolicy description maxSessionDuration permissionsBoundary forceDetachPolicies"
    )
    documents: ClassVar = frozenset({"assumeRolePolicy"})

    def update(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
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

    def describe(self, identity: str, state: Properties) -> Properties | None:
        role = self.found(identity)
        found = self.properties(role, "arn")
        found["uniqueId"] = role["RoleId"]
        found["createDate"] = role["CreateDate"].strftime("%Y-%m-%dT%H:%M:%SZ")
        found["assumeRolePolicy"] = _json(role["AssumeRolePolicyDocument"])
        found["permissionsBoundary"] = role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
        return {**found, "tags": self.tags_of(identity)}

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
    operation, named = "PutRolePolicy", "{role}:{name}"
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
        self._check_size(inputs)
        return super().create(inputs)

    def update(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        self.create(inputs)

    def _check_size(self, inputs: Properties) -> None:
        """The local AWS does not enforce the limit over a role's policies together."""
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

    def _document(self, role: str, name: str) -> str:
        return _json(self.client.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"])

    def describe(self, identity: str, state: Properties) -> Properties | None:
        role, _, name = identity.partition(":")
        return {"role": role, "name": name, "policy": self._document(role, name)}

    def remove(self, identity: str, state: Properties) -> None:
        role, _, name = identity.partition(":")
        self.client.delete_role_policy(RoleName=role, PolicyName=name)


class Policy(AwsResource):
    """A policy of the customer's own. IAM keeps five versions and counts characters without white space."""

    sdk_name = "aws:iam/policy:Policy"
    service = "iam"
    operation, made = "CreatePolicy", "Policy.Arn"
    described: ClassVar = Call("get_policy", "PolicyArn", "Policy")
    deleted: ClassVar = Call("delete_policy", "PolicyArn")
    tagging: ClassVar = Tagging("PolicyArn", "list_policy_tags", "tag_policy", "untag_policy")
    listing: ClassVar = Listing("list_policies", "Policies[].Arn", arguments={"Scope": "Local"})
    name_limit = 128
    renamed: ClassVar = {"name": "PolicyName", "policy": "PolicyDocument"}
    defaults: ClassVar = {"path": "/"}
    in_place: ClassVar = frozenset({"policy"})
    documents: ClassVar = frozenset({"policy"})

    def rules(self, inputs: Properties) -> Iterator[tuple[str, str]]:
        yield from super().rules(inputs)
        size = _size(inputs.get("policy", ""))
        if size > _MANAGED_LIMIT:
            yield "policy", f"is {size} characters long; IAM allows {_MANAGED_LIMIT} for a managed policy"

    def update(self, identity: str, inputs: Properties, changed: frozenset[str]) -> None:
        """A new default version in the place of the last one."""
        old = self.found(identity)["DefaultVersionId"]
        self.client.create_policy_version(PolicyArn=identity, PolicyDocument=inputs["policy"], SetAsDefault=True)
        self.client.delete_policy_version(PolicyArn=identity, VersionId=old)

    def describe(self, identity: str, state: Properties) -> Properties | None:
        policy = self.found(identity)
        version = self.client.get_policy_version(PolicyArn=identity, VersionId=policy["DefaultVersionId"])
        found = self.properties(policy, "arn")
        found["policyId"] = policy["PolicyId"]
        found["policy"] = _json(version["PolicyVersion"]["Document"])
        return {**found, "tags": self.tags_of(identity)}

    def remove(self, identity: str, state: Properties) -> None:
        for version in self.client.list_policy_versions(PolicyArn=identity)["Versions"]:
            if not version["IsDefaultVersion"]:
                self.client.delete_policy_version(PolicyArn=identity, VersionId=version["VersionId"])
        super().remove(identity, state)


class RolePolicyAttachment(AwsResource):
    """A managed policy on a role."""

    sdk_name = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
    service = "iam"
    operation, named = "AttachRolePolicy", "{role}/{policyArn}"
    listing: ClassVar = Listing(
        "list_attached_role_policies",
        "AttachedPolicies[].PolicyArn",
        "aws:iam/role:Role",
        argument("RoleName"),
        name=lambda role, policy: f"{role} {policy}",
        known=output("role", "policyArn"),
    )
    renamed: ClassVar = {"role": "RoleName"}

    def describe(self, identity: str, state: Properties) -> Properties | None:
        role, _, policy = identity.partition("/")
        attached = self.client.list_attached_role_policies(RoleName=role)["AttachedPolicies"]
        return {"role": role, "policyArn": policy} if any(p["PolicyArn"] == policy for p in attached) else None

    def remove(self, identity: str, state: Properties) -> None:
        role, _, policy = identity.partition("/")
        self.client.detach_role_policy(RoleName=role, PolicyArn=policy)
