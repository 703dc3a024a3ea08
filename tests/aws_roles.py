"""The roles of .github/aws/roles.yaml as IAM would have them: CloudFormation's functions filled in for one repository."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

TEMPLATE = Path(__file__).parents[1] / ".github" / "aws" / "roles.yaml"
ACCOUNT, REGION = "123456789012", "ap-northeast-2"
REPOSITORY = "example-organization/infrastructure"
PARAMETERS = {
    "Repository": REPOSITORY,
    "Environment": "prod",
    "RepositoryName": "atlantis",
    "RegionSuffix": "",
    "StateBucket": "pulumi-state",
    "StateKeyArn": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/9e0c6d0b-6d2c-4f2b-8d0c-0f6f1c0d9a11",
    "OidcProviderArn": "",
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::URLSuffix": "amazonaws.com",
}


class _Loader(yaml.SafeLoader):
    """YAML with the functions that the template uses; `!Ref` and `!GetAtt` of a resource stay its logical ID."""


def _substitute(_loader: _Loader, node: yaml.ScalarNode) -> str:
    text = node.value
    for name, value in PARAMETERS.items():
        text = text.replace(f"${{{name}}}", value)
    return text


def _first_case(loader: _Loader, node: yaml.SequenceNode) -> Any:
    """The template's one condition holds: `OidcProviderArn` is empty."""
    return loader.construct_sequence(node, deep=True)[1]


_Loader.add_constructor("!Sub", _substitute)
_Loader.add_constructor("!Ref", lambda _, node: PARAMETERS.get(node.value, node.value))
_Loader.add_constructor("!GetAtt", lambda _, node: node.value)
_Loader.add_constructor("!Equals", lambda _loader, _node: True)
_Loader.add_constructor("!If", _first_case)


def resources(type_: str) -> dict[str, dict[str, Any]]:
    """Properties of the template's resources of a type, by logical ID."""
    template = yaml.load(TEMPLATE.read_text(encoding="utf-8"), _Loader)  # noqa: S506 - a SafeLoader
    found = template["Resources"].items()
    return {name: resource["Properties"] for name, resource in found if resource["Type"] == type_}


def policies_of(role: str) -> Mapping[str, dict[str, Any]]:
    """The policy documents of a role, by logical ID; ``role`` is Preview, Drift or Deploy."""
    documents = resources("AWS::IAM::ManagedPolicy")
    attached = resources("AWS::IAM::Role")[f"{role}Role"]["ManagedPolicyArns"]
    return {name: documents[name]["PolicyDocument"] for name in attached}


def actions_of(role: str) -> set[str]:
    """Every action that a role may use."""
    statements = [statement for document in policies_of(role).values() for statement in document["Statement"]]
    return {action for statement in statements for action in statement["Action"]}
