"""Roles and their policies."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sandbox.testbed.providers.aws.base import AwsResource
from sandbox.testbed.providers.values import Properties


class IamResource(AwsResource):
    service = "iam"

    def shown_as(self, identity: str, answer: Mapping[str, Any], state: Properties) -> Properties:
        """The policies as strings: botocore parses IAM's policy documents."""
        found = super().shown_as(identity, answer, state)
        for name in self.documents & found.keys():
            found[name] = found[name] if isinstance(found[name], str) else json.dumps(found[name])
        return found


class Role(IamResource):
    """An IAM role."""

    sdk_name = "aws:iam/role:Role"

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


class Policy(IamResource):
    """A customer managed policy. IAM keeps up to five versions."""

    sdk_name = "aws:iam/policy:Policy"

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
