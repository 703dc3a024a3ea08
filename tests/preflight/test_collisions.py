"""What stands in the deployment's way, beyond the rows of test_checks.yaml: an endpoint that the next update adopts doesn't."""

from pathlib import Path

import pytest

from components.adoption import FILE_VARIABLE
from preflight.errors import Status
from sandbox.testbed.local_aws import REGION
from tests.preflight.account import Account


def test_an_endpoint_that_the_next_update_adopts_is_fine(
    account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    endpoint = account.client("ec2").create_vpc_endpoint(
        VpcId=account.ids["vpc"],
        ServiceName=f"com.amazonaws.{REGION}.secretsmanager",
        VpcEndpointType="Interface",
        PrivateDnsEnabled=True,
        SubnetIds=[account.ids["private a"]],
    )["VpcEndpoint"]["VpcEndpointId"]
    adoption = tmp_path / "adoption.yaml"
    adoption.write_text(f"prod: {{import: {{network-endpoint-secretsmanager: {endpoint}}}}}", encoding="utf-8")
    monkeypatch.setenv(FILE_VARIABLE, str(adoption))
    assert account.result("names: VPC endpoints").status is Status.OK
