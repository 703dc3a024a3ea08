"""Network: security groups, their rules, and the VPC endpoints."""

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

import pulumi
import pulumi_aws as aws

from ..context import Context
from ..names import PhysicalNames
from ..outputs import declared_outputs
from ..policy_documents import Statement, document
from ..settings.workers import PORT
from .vpc import Vpc

HTTPS, HTTP, NFS, REDIS = 443, 80, 2049, 6379
EVERYWHERE = "0.0.0.0/0"
_INGRESS, _EGRESS = aws.vpc.SecurityGroupIngressRule, aws.vpc.SecurityGroupEgressRule
_CLIENTS = {
    "tasks": "Atlantis task",
    "plan-workers": "Atlantis workers (plan)",
    "apply-workers": "Atlantis workers (apply)",
}
GATEWAY_ENDPOINTS = ("s3",)
"""Gateway endpoints use route tables, have no IP address and are free of charge. The others are interface endpoints."""


class Network(pulumi.ComponentResource):
    """Security groups for the load balancer, the tasks, the workers, the file system and the endpoints; the endpoints themselves."""

    load_balancer_security_group_id: pulumi.Input[str] | None
    """None without a load balancer."""
    tasks_security_group_id: pulumi.Output[str]
    file_system_security_group_id: pulumi.Output[str]
    locking_security_group_id: pulumi.Output[str] | None = None
    """None without a locking database."""
    security_group_ids: Sequence[pulumi.Input[str]]
    """The IDs of all security groups that can reach the task or its data."""

    def __init__(self, name: str, context: Context, vpc: Vpc, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("atlantis:index:Network", name, None, opts)
        self._context, self._settings, self._vpc = context, context.settings, vpc
        self._sender = self._settings.vcs.kind.title
        self._child = pulumi.ResourceOptions(parent=self)
        self._groups: list[aws.ec2.SecurityGroup] = []

        existing = self._settings.existing
        load_balancer = None
        if existing.https_listener_arn is None and self._settings.ingress.has_load_balancer:
            load_balancer = self._security_group(
                "alb", "Atlantis load balancer: HTTPS from the allowed ranges and from GitHub webhooks"
            ).id
        tasks = self._security_group("ecs-tasks", "Atlantis task: reached by its load balancer only")
        file_system = self._security_group("efs", "Atlantis file system: reached by the Atlantis task only")

        self._requests(tasks, load_balancer)
        self._path(tasks.id, file_system.id, "tasks-to-efs", NFS, "Atlantis task to its file system (NFS)")
        if self._settings.storage.uses_redis:
            locking = self._security_group("redis", "Atlantis locking database: reached by the Atlantis task only")
            self._path(tasks.id, locking.id, "tasks-to-redis", REDIS, "Atlantis task to its locking database (Redis)")
            self.locking_security_group_id = locking.id
        self.worker_security_group_ids = {
            group.role: self._workers(group.role, tasks.id) for group in self._settings.worker_groups
        }
        clients = {"tasks": tasks.id} | {f"{role}-workers": of for role, of in self.worker_security_group_ids.items()}
        for client, group_id in clients.items():
            self._egress(
                group_id,
                f"{client}-https-egress",
                f"{_CLIENTS[client]} to {self._sender}, Terraform registries and AWS over HTTPS",
            )
            self._proxies(client, group_id)
        self._endpoints(clients)

        self.load_balancer_security_group_id = load_balancer or existing.load_balancer_security_group_id
        self.tasks_security_group_id = tasks.id
        self.file_system_security_group_id = file_system.id
        shared = existing.load_balancer_security_group_id
        self.security_group_ids = [*(group.id for group in self._groups), *([shared] if shared else ())]
        self.register_outputs(declared_outputs(self))

    def _workers(self, role: str, tasks: pulumi.Input[str]) -> pulumi.Output[str]:
        """The security group of the workers of a kind: the server reaches them on one port, and they reach nothing of the stack."""
        group = self._security_group(f"{role}-workers", f"Atlantis workers ({role}): reached by the Atlantis task only")
        self._path(tasks, group.id, f"tasks-to-{role}-workers", PORT, f"Atlantis task to its workers ({role})")
        return group.id

    def _requests(self, tasks: aws.ec2.SecurityGroup, own: pulumi.Output[str] | None) -> None:
        """Allow requests to the server: through the load balancer's security group, or from the allowed ranges without one."""
        settings, existing = self._settings, self._settings.existing
        shared, port = existing.load_balancer_security_group_id, settings.task.container_port
        text = "Load balancer to the Atlantis server and its health check"
        if own is not None:
            self._load_balancer_rules(own, redirects=True)
            self._path(own, tasks.id, "alb-to-tasks", port, text)
        elif shared is None:
            for block in settings.ingress.allowed_sources:
                text = "HTTP to the Atlantis server from an allowed range, without a load balancer"
                self._ingress_from_range(tasks.id, "tasks-http", port, block, text)
        elif existing.extend_security_group:
            self._load_balancer_rules(shared, redirects=False)
            self._path(shared, tasks.id, "alb-to-tasks", port, text)
        else:
            self._rule(_INGRESS, "alb-to-tasks-ingress", tasks.id, port, text, referenced_security_group_id=shared)

    def _load_balancer_rules(self, group_id: pulumi.Input[str], *, redirects: bool) -> None:
        """What reaches the load balancer, and the identity provider that it reaches. `redirects`: port 80 is redirected."""
        allowed = self._settings.ingress.allowed_sources
        for block in allowed:
            self._ingress_from_range(group_id, "alb-https", HTTPS, block, "HTTPS from an allowed range")
            if redirects:
                text = "HTTP from an allowed range, to be redirected to HTTPS"
                self._ingress_from_range(group_id, "alb-http", HTTP, block, text)
        for block in self._settings.webhook_sources:
            if block not in allowed:
                self._ingress_from_range(
                    group_id, "alb-webhook", HTTPS, block, f"HTTPS from {self._sender} webhook ranges"
                )
        for port in self._settings.sign_in.provider_ports:
            label = "alb-oidc-egress" if port == HTTPS else f"alb-oidc-egress-{port}"
            self._egress(group_id, label, "Load balancer to the identity provider over HTTPS", port)

    def _security_group(self, of: str, description: str) -> aws.ec2.SecurityGroup:
        """A security group without rules. The provider removes AWS' default rule, which allows all egress.

        Names and descriptions are fixed: a changed description replaces the group, as one of a policy replaces the policy.
        In descriptions of groups and rules, EC2 accepts only letters, digits, spaces and ._-:/()#,@[]+=&;{}!$*.
        """
        physical_name = self._context.names.security_group(of)
        group = aws.ec2.SecurityGroup(
            f"{self.pulumi_resource_name}-{of}",
            name=physical_name,
            description=description,
            vpc_id=self._vpc.id,
            tags=self._context.tags | {"Name": physical_name},
            opts=self._child,
        )
        self._groups.append(group)
        return group

    def _ingress_from_range(
        self, group_id: pulumi.Input[str], label: str, port: int, block: str, description: str
    ) -> None:
        peer = {"cidr_ipv6" if ":" in block else "cidr_ipv4": block}
        self._rule(_INGRESS, f"{label}-from-{block}", group_id, port, description, **peer)

    def _path(
        self, source: pulumi.Input[str], target: pulumi.Input[str], label: str, port: int, description: str
    ) -> None:
        """Allow one port from one security group to another: an egress rule and an ingress rule."""
        self._rule(_EGRESS, f"{label}-egress", source, port, description, referenced_security_group_id=target)
        self._rule(_INGRESS, f"{label}-ingress", target, port, description, referenced_security_group_id=source)

    def _egress(
        self, group_id: pulumi.Input[str], label: str, description: str, port: int = HTTPS, block: str = EVERYWHERE
    ) -> None:
        """GitHub, registries, identity providers and AWS services have no fixed ranges. The VPC's resolver needs no rule."""
        self._rule(_EGRESS, label, group_id, port, description, cidr_ipv4=block)

    def _rule(
        self, kind: type[Any], label: str, group_id: pulumi.Input[str], port: int, description: str, **peer: Any
    ) -> None:
        kind(
            f"{self.pulumi_resource_name}-{label}",
            security_group_id=group_id,
            description=description,
            ip_protocol="tcp",
            from_port=port,
            to_port=port,
            tags=self._context.tags,
            opts=self._child,
            **peer,
        )

    def _proxies(self, client: str, group_id: pulumi.Input[str]) -> None:
        """Allow a client to reach its proxies. The address of a host isn't known, so its port is open to all."""
        for host, port in sorted(
            {
                (urlsplit(url).hostname or "", urlsplit(url).port or HTTP)
                for url in self._settings.outbound.proxies.values()
            }
        ):
            if port == HTTPS or host == "localhost" or host.startswith("127."):
                continue
            try:
                block = str(ipaddress.IPv4Network(host))
            except ValueError:
                block = EVERYWHERE
            self._egress(
                group_id, f"{client}-proxy-egress-{host}-{port}", f"{_CLIENTS[client]} to its proxy {host}", port, block
            )

    def _endpoints(self, clients: Mapping[str, pulumi.Input[str]]) -> None:
        vpc, services = self._vpc, self._settings.vpc_endpoints
        interfaces = [service for service in services if service not in GATEWAY_ENDPOINTS]
        if interfaces:
            group = self._security_group("vpc-endpoints", "AWS service endpoints: HTTPS from the Atlantis task only")
            for client, group_id in clients.items():
                text = f"{_CLIENTS[client]} to AWS services inside the VPC"
                self._path(group_id, group.id, f"{client}-to-endpoints", HTTPS, text)
            # With private DNS, all workloads of an existing VPC use the endpoints, so they must be able to reach them.
            for block in vpc.cidr_blocks:
                self._ingress_from_range(
                    group.id, "endpoints-https", HTTPS, block, "HTTPS from the workloads of the VPC"
                )
            for service in interfaces:
                self._endpoint(
                    service,
                    "Interface",
                    private_dns_enabled=True,
                    subnet_ids=vpc.private_subnet_ids,
                    security_group_ids=[group.id],
                )
        for service in (each for each in services if each in GATEWAY_ENDPOINTS):
            self._endpoint(service, "Gateway", route_table_ids=vpc.private_route_table_ids)

    def _endpoint(self, service: str, kind: str, **inputs: Any) -> None:
        names = self._context.names
        aws.ec2.VpcEndpoint(
            f"{self.pulumi_resource_name}-endpoint-{service}",
            vpc_id=self._vpc.id,
            service_name=names.service_endpoint(service),
            vpc_endpoint_type=kind,
            policy=endpoint_policy(names, service),
            tags=self._context.tags | {"Name": f"{names.base}-{service}"},
            opts=self._child,
            **inputs,
        )


def endpoint_policy(names: PhysicalNames, service: str) -> str:
    """Allow only credentials of this account, so that a plan can't use the endpoints to send data to another account.

    The principal is `*`, and a condition limits it to the account. In an endpoint policy, an account's ARN as the principal
    matches only the root user: https://docs.aws.amazon.com/vpc/latest/privatelink/vpc-endpoints-access.html
    """
    own: Statement = {
        "Sid": "AllowThisAccount",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": [f"{service.partition('.')[0]}:*"],
        "Resource": ["*"],
        "Condition": {"StringEquals": {"aws:PrincipalAccount": names.account}},
    }
    if service != "s3":
        return document([own])
    # ECR returns presigned URLs of its own bucket: https://docs.aws.amazon.com/AmazonECR/latest/userguide/vpc-endpoints.html
    layers: Statement = {
        "Sid": "AllowImageLayers",
        "Effect": "Allow",
        "Principal": {"AWS": "*"},
        "Action": ["s3:GetObject"],
        "Resource": [names.bucket_arn(f"prod-{names.region}-starport-layer-bucket/*")],
    }
    return document([own, layers])
