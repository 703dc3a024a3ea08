"""Production's settings in the sandbox: existing resources have substitutes, and the existing VPC is used."""

import pytest

from tests.sandbox.harness import SEED_OUTPUTS, URL_OUTPUTS, WEB_ACL, Scratch, own_processes, resource


def test_the_preview_needs_no_aws_account_and_leaves_nothing_running(
    production: Scratch, monkeypatch: pytest.MonkeyPatch
):
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.setenv(variable, "of-the-real-account")

    answer = production.cli("preview")

    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "vpc vpc-0a1b2c3d4e5f60718: created vpc-" in answer.stderr
    assert "of-the-real-account" not in answer.stdout + answer.stderr
    assert "atlantis-guard" in answer.stdout
    assert list(own_processes(production.base)) == []


def test_the_existing_vpc_is_used_and_not_owned(production: Scratch):
    sandbox = production.deployed()

    types = {item["type"] for item in sandbox.resources() if item.get("custom") and not item.get("external")}
    assert not types & {"aws:ec2/vpc:Vpc", "aws:ec2/subnet:Subnet", "aws:ec2/natGateway:NatGateway"}
    assert set(sandbox.outputs()) == SEED_OUTPUTS | URL_OUTPUTS
    assert sandbox.compare().describe() == ""
    balancer = resource(sandbox, "aws:lb/loadBalancer:LoadBalancer")
    zones = sandbox.aws.client("ec2").describe_subnets(SubnetIds=balancer["outputs"]["subnets"])["Subnets"]
    assert len({zone["AvailabilityZone"] for zone in zones}) == 2


def test_a_web_acl_is_put_in_front_of_the_load_balancer_and_taken_away_again(production: Scratch):
    sandbox = production.sandbox(webAclArn=WEB_ACL)
    waf = sandbox.aws.client("wafv2")

    sandbox.up()

    balancer = resource(sandbox, "aws:lb/loadBalancer:LoadBalancer")["outputs"]["arn"]
    (web_acl,) = waf.list_web_acls(Scope="REGIONAL")["WebACLs"]
    assert waf.get_web_acl_for_resource(ResourceArn=balancer)["WebACL"]["ARN"] == web_acl["ARN"]
    assert sandbox.compare().describe() == ""

    production.sandbox().up()

    assert waf.list_resources_for_web_acl(WebACLArn=web_acl["ARN"])["ResourceArns"] == []
