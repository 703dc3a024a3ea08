"""The environment of workflows: plain variables, and parameters of Systems Manager in addition to secrets."""

from typing import Any

from tests.unit.isolated import containers_of
from tests.unit.stacks import stack

ARN = "arn:aws:ssm:ap-northeast-2:123456789012:parameter"
PARAMETERS: dict[str, Any] = {
    "secretEnvironment": ["REGISTRY_TOKEN=ssm:/ci/registry", "OTHER=ci/other:key"],
    "serverSecrets": ["api-secret=ssm:/atlantis/api"],
    "allowApi": True,
}


def test_a_parameter_is_referenced_by_its_arn_and_a_secret_by_its_key() -> None:
    secrets = {each["name"]: each["valueFrom"] for each in containers_of(stack(**PARAMETERS))["atlantis"]["secrets"]}
    assert secrets["REGISTRY_TOKEN"] == f"{ARN}/ci/registry"
    assert secrets["ATLANTIS_API_SECRET"] == f"{ARN}/atlantis/api"
    assert secrets["OTHER"].endswith(":secret:ci/other-AbCdEf:key::")


def test_the_execution_role_reads_and_decrypts_these_parameters_alone() -> None:
    statements = stack(**PARAMETERS).one("aws:iam/rolePolicy:RolePolicy", "permissions-execution-secrets").document()
    arns = [f"{ARN}/atlantis/api", f"{ARN}/ci/registry"]
    found = {each["Sid"]: each for each in statements}
    assert found["ReadTaskParameters"]["Action"] == ["ssm:GetParameters"]
    assert found["ReadTaskParameters"]["Resource"] == arns
    assert found["DecryptTaskParameters"]["Condition"] == {
        "StringEquals": {
            "kms:ViaService": "ssm.ap-northeast-2.amazonaws.com",
            "kms:EncryptionContext:PARAMETER_ARN": arns,
        }
    }
    plain = stack().one("aws:iam/rolePolicy:RolePolicy", "permissions-execution-secrets").document()
    assert not [each for each in plain if "Parameters" in each["Sid"]]


def test_terraform_can_not_read_the_server_s_parameters() -> None:
    (denied,) = stack(**PARAMETERS).one("aws:iam/policy:Policy", "permissions-task-own-stack").document()
    assert "ssm:*" in denied["Action"]
    assert {f"{ARN}/atlantis/api", f"{ARN}/ci/registry"} <= set(denied["Resource"])
    (plain,) = stack().one("aws:iam/policy:Policy", "permissions-task-own-stack").document()
    assert "ssm:*" not in plain["Action"]


def test_the_endpoint_of_systems_manager_is_created_where_endpoints_are_and_parameters_are_used() -> None:
    kind = "aws:ec2/vpcEndpoint:VpcEndpoint"
    assert "network-endpoint-ssm" not in stack().names(kind)
    assert "network-endpoint-ssm" in stack(**PARAMETERS).names(kind)
    assert stack(**PARAMETERS, vpcEndpoints=[]).names(kind) == []
    assert stack(vpcEndpoints=["ssm"]).names(kind) == ["network-endpoint-ssm"]
