"""Substitutes for what stands in front of a server, and for the cluster that it shares."""

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.substitutes import throwaway_secrets
from sandbox.testbed.local_aws.instance import LocalAws

_NOT_FOUND = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404", "ContentType": "text/plain"}}


def zone(aws: LocalAws, given: Mapping[str, Any]) -> str:
    """A hosted zone for the URL's domain; its ID."""
    domain = throwaway_secrets.host(given["url"]).partition(".")[2]
    created = aws.client("route53").create_hosted_zone(Name=domain, CallerReference=given["hostedZoneId"])
    return created["HostedZone"]["Id"].rpartition("/")[2]


def certificate(aws: LocalAws, url: str) -> str:
    """A certificate for the URL's host; its ARN.

    A requested certificate is issued immediately: the local AWS treats every DNS validation as completed. It doesn't read the
    domain names of an imported certificate.
    """
    host = throwaway_secrets.host(url)
    return aws.client("acm").request_certificate(DomainName=host, ValidationMethod="DNS")["CertificateArn"]


def web_acl(aws: LocalAws, arn: str) -> str:
    """A web ACL with the name in `arn`; its ARN."""
    seen = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": "substitute"}
    created = aws.client("wafv2").create_web_acl(
        Name=arn.split("/")[2], Scope="REGIONAL", DefaultAction={"Allow": {}}, VisibilityConfig=seen
    )
    return created["Summary"]["ARN"]


def cluster(aws: LocalAws, name: str) -> str:
    """A cluster with Fargate and Container Insights; its ARN."""
    created = aws.client("ecs").create_cluster(
        clusterName=name,
        capacityProviders=["FARGATE", "FARGATE_SPOT"],
        settings=[{"name": "containerInsights", "value": "enabled"}],
    )
    return created["cluster"]["clusterArn"]


def security_group(aws: LocalAws, original: str, vpc: str) -> str:
    """A load balancer's security group; its ID. It can send requests to everywhere, which EC2 allows a new group."""
    ec2 = aws.client("ec2")
    created = ec2.create_security_group(
        GroupName=f"substitute for {original}",
        Description="Substitute of the group of a shared load balancer",
        VpcId=vpc,
    )
    return created["GroupId"]


def egress_rule(aws: LocalAws, group: str) -> str:
    """The rule with which EC2 lets a new group send to everywhere; its ID."""
    filters = [{"Name": "group-id", "Values": [group]}]
    rules = aws.client("ec2").describe_security_group_rules(Filters=filters)["SecurityGroupRules"]
    return next(rule["SecurityGroupRuleId"] for rule in rules if rule["IsEgress"])


def open_to_everyone(aws: LocalAws, group: str) -> str:
    """A rule of a group that accepts HTTPS from everywhere, as many load balancers do; its ID."""
    everyone = [{"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}]
    made = aws.client("ec2").authorize_security_group_ingress(GroupId=group, IpPermissions=everyone)
    return made["SecurityGroupRules"][0]["SecurityGroupRuleId"]


def load_balancer(aws: LocalAws, listener_arn: str, subnets: Sequence[str], group: str) -> str:
    """A load balancer with the name in the ARN of its listener; its ARN."""
    created = aws.client("elbv2").create_load_balancer(
        Name=listener_arn.split("/")[2], Subnets=list(subnets), SecurityGroups=[group], Type="application"
    )
    return created["LoadBalancers"][0]["LoadBalancerArn"]


def listener(aws: LocalAws, balancer: str, certificate_arn: str) -> str:
    """An HTTPS listener, which answers 404; its ARN."""
    created = aws.client("elbv2").create_listener(
        LoadBalancerArn=balancer,
        Protocol="HTTPS",
        Port=443,
        SslPolicy="ELBSecurityPolicy-TLS13-1-2-2021-06",
        Certificates=[{"CertificateArn": certificate_arn}],
        DefaultActions=[_NOT_FOUND],
    )
    return created["Listeners"][0]["ListenerArn"]


def rule_of_another_service(aws: LocalAws, listener_arn: str) -> str:
    """A rule of a listener for another host; its ARN."""
    host = {"Field": "host-header", "HostHeaderConfig": {"Values": ["other.example.com"]}}
    created = aws.client("elbv2").create_rule(
        ListenerArn=listener_arn, Priority=10, Conditions=[host], Actions=[_NOT_FOUND]
    )
    return created["Rules"][0]["RuleArn"]
