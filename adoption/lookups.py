"""Results of the program's data sources, read from the Terraform state instead of AWS."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from adoption.anatomy import Anatomy
from adoption.existing import existing_of, load_balancer_arn
from adoption.state import TerraformState
from components.ingress.sign_in import CLIENT_SECRET_KEY

SUFFIX, SUFFIXES = "amazonaws.com", {"aws-cn": "amazonaws.com.cn"}
UNKNOWN_ZONE = "zone of "
"""Begins the placeholder for the zone of a subnet, which is part of the name of its mount target."""


class Lookups:
    """Results of the data sources of one stack, with placeholders for values that the state doesn't contain."""

    def __init__(self, anatomy: Anatomy, settings: Mapping[str, Any]) -> None:
        self._anatomy = anatomy
        self._vpc_id = str(settings.get("vpcId"))
        self._group_id = existing_of(settings).group_id
        self._zones: dict[str, str] = {
            subnet.id: subnet.get("availability_zone") or "" for subnet in anatomy.state.known("aws_subnet")
        } | {
            str(target.get("subnet_id")): target.get("availability_zone_name") or ""
            for target in anatomy.state.of("aws_efs_mount_target")
        }

    def __call__(self, token: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """The result of the function `token`; its arguments if the program's resources don't depend on the result."""
        known, subnet = self._anatomy, str(arguments.get("id"))
        answers: Mapping[str, Callable[[], Mapping[str, Any]]] = {
            "getCallerIdentity": lambda: {
                "accountId": known.account,
                "arn": f"arn:{known.partition}:iam::{known.account}:root",
            },
            "getPartition": lambda: {"partition": known.partition, "dnsSuffix": SUFFIXES.get(known.partition, SUFFIX)},
            # A subnet whose zone isn't in the state is treated as a separate zone.
            "getSubnet": lambda: {
                "availabilityZone": self._zones.get(subnet) or f"{UNKNOWN_ZONE}{subnet}",
                "vpcId": self._vpc_id,
            },
            "getVpc": lambda: {"cidrBlockAssociations": self._cidr_blocks()},
            "getRouteTables": lambda: {"ids": self._route_tables()},
            # Its value is neither in the state nor in the plan; the preview reads it.
            "getSecretVersion": lambda: {"secretString": json.dumps({CLIENT_SECRET_KEY: "${oidc.clientSecret}"})},
            "getSecret": lambda: self._secret(str(arguments.get("name"))),
            "getCluster": lambda: {"arn": self._cluster_arn(str(arguments.get("clusterName"))), "status": "ACTIVE"},
            # What the state doesn't hold is taken to fit. The preview checks it in AWS.
            "getListener": lambda: {
                "arn": known.existing.listener_arn,
                "loadBalancerArn": load_balancer_arn(known.existing.listener_arn),
                "protocol": known.https_listener.get("protocol") if known.https_listener else "HTTPS",
            },
            "getLoadBalancer": self._load_balancer,
        }
        answer = answers.get(token.rpartition(":")[2])
        return answer() if answer else arguments

    def _cluster_arn(self, name: str) -> str:
        running = str(self._anatomy.service.get("cluster"))
        known = self._anatomy
        own = f"arn:{known.partition}:ecs:{known.region}:{known.account}:cluster/{name}"
        return running if running.rpartition("/")[2] == name else own

    def _load_balancer(self) -> Mapping[str, Any]:
        """The load balancer of the existing listener."""
        arn = load_balancer_arn(self._anatomy.existing.listener_arn)
        balancer, record = self._anatomy.load_balancer, self._anatomy.alias_record
        found: Mapping[str, Any] = balancer.attributes if balancer else {}
        alias: Mapping[str, Any] = record.first("alias") if record else {}
        return {
            "arn": arn,
            "arnSuffix": arn.partition(":loadbalancer/")[2],
            "dnsName": found.get("dns_name") or alias.get("name") or "",
            "zoneId": found.get("zone_id") or alias.get("zone_id") or "",
            "name": arn.split("/")[2],
            "securityGroups": found.get("security_groups") or [self._group_id],
            "vpcId": found.get("vpc_id") or self._vpc_id,
        }

    def _cidr_blocks(self) -> list[Mapping[str, str]]:
        """The ranges of a VPC that the state manages or reads. For any other VPC, the preview reads the ranges from AWS."""
        found = cidr_blocks(self._anatomy.state, self._vpc_id)
        return [{"associationId": "", "cidrBlock": block, "state": "associated"} for block in found]

    def _route_tables(self) -> list[str]:
        """The route tables of the stack's gateway endpoints."""
        return sorted(
            {
                table
                for endpoint in self._anatomy.state.of("aws_vpc_endpoint")
                for table in endpoint.items_of("route_table_ids")
            }
        )

    def _secret(self, name: str) -> Mapping[str, Any]:
        for secret in self._anatomy.state.of("aws_secretsmanager_secret"):
            if secret.get("name") == name:
                return {"arn": secret.id, "kmsKeyId": secret.get("kms_key_id") or "", "name": name}
        return {
            "arn": f"arn:aws:secretsmanager:{self._anatomy.region}:{self._anatomy.account}:secret:{name}",
            "kmsKeyId": "",
        }


def cidr_blocks(state: TerraformState, vpc_id: str) -> list[str]:
    """The ranges of a VPC in the state, the first of them first; empty if the state doesn't hold the VPC."""
    blocks: list[str | None] = []
    for vpc in state.known("aws_vpc"):
        if vpc.get("id") == vpc_id:
            associations = vpc.items_of("cidr_block_associations")
            blocks += [vpc.get("cidr_block"), *(item.get("cidr_block") for item in associations)]
    for association in state.of("aws_vpc_ipv4_cidr_block_association"):
        if association.get("vpc_id") == vpc_id:
            blocks.append(association.get("cidr_block"))
    return [block for block in dict.fromkeys(blocks) if block]
