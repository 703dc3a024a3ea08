"""What AWS answers about the parts that exist before a unit test's stack."""

from collections.abc import Mapping
from typing import Any

EXISTING_VPC: dict[str, Any] = {
    "vpcId": "vpc-0a1b2c3d4e5f60718",
    "publicSubnetIds": ["subnet-00000000000000001", "subnet-00000000000000002"],
    "privateSubnetIds": ["subnet-00000000000000003", "subnet-00000000000000004"],
}
EXISTING_GROUP = "sg-0a1b2c3d4e5f60718"
EXISTING_LISTENER = (
    "arn:aws:elasticloadbalancing:ap-northeast-2:123456789012:listener/app/shared/50dc6c495c0c9188/f2f7dc8efc522ab2"
)


def of_existing_parts(asked: Mapping[str, Any]) -> dict[str, Any]:
    """The answers about a cluster, and about a load balancer with its listener. A name says what differs from a usable one."""
    return {
        "aws:ecs/getCluster:getCluster": {
            "arn": f"arn:aws:ecs:ap-northeast-2:123456789012:cluster/{asked.get('clusterName')}",
            "status": "INACTIVE" if asked.get("clusterName") == "deleted" else "ACTIVE",
        },
        "aws:lb/getListener:getListener": {
            "loadBalancerArn": str(asked.get("arn")).replace(":listener/", ":loadbalancer/").rpartition("/")[0],
            "protocol": "HTTP" if "/http/" in str(asked.get("arn")) else "HTTPS",
        },
        "aws:lb/getLoadBalancer:getLoadBalancer": {
            "name": str(asked.get("arn")).split("/")[2] if asked.get("arn") else "",
            "vpcId": "vpc-other" if "/elsewhere/" in str(asked.get("arn")) else EXISTING_VPC["vpcId"],
            "securityGroups": [EXISTING_GROUP],
            "dnsName": "shared.example",
            "zoneId": "ZSHARED",
            "arnSuffix": str(asked.get("arn")).partition("loadbalancer/")[2],
        },
    }


def route_tables(asked: Mapping[str, Any]) -> list[str]:
    """Of an existing VPC the first private subnet has a separate table, the second uses the main one; a new one's all have."""
    by = asked.get("filters", [{"name": "", "values": []}])[0]
    if by["name"] == "association.main":
        return ["rtb-main"]
    if asked.get("vpcId") == "vpc-new":
        return [f"rtb-of-{subnet}" for subnet in by["values"]]
    return ["rtb-own"] if by["values"] == [EXISTING_VPC["privateSubnetIds"][0]] else []
