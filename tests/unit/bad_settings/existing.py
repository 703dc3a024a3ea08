"""Refused settings of existing parts, and of a stack without a load balancer."""

from typing import Any

from tests.unit.bad_settings.messages import Case
from tests.unit.existing_parts import EXISTING_GROUP, EXISTING_LISTENER, EXISTING_VPC
from tests.unit.recording import ACCOUNT, LOCAL, REGION

_KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
_WEB_ACL = f"arn:aws:wafv2:{REGION}:{ACCOUNT}:regional/webacl/platform/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9"
_REGISTRY = f"arn:aws:servicediscovery:{REGION}:{ACCOUNT}:service/srv-abcdefgh12345678"


def _shared(**changes: Any) -> dict[str, Any]:
    return {
        "vpcId": EXISTING_VPC["vpcId"],
        "privateSubnetIds": EXISTING_VPC["privateSubnetIds"],
        "acmCertificateArn": None,
        "httpsListenerArn": EXISTING_LISTENER,
        "loadBalancerSecurityGroupId": EXISTING_GROUP,
        **changes,
    }


def _private(**changes: Any) -> dict[str, Any]:
    return {"loadBalancerScheme": "none", "allowedCidrBlocks": ["10.0.0.0/8"], "acmCertificateArn": None, **changes}


EXISTING: list[Case] = [
    ({"clusterName": "a cluster"}, ("clusterName = 'a cluster'", "must be the name of an ECS cluster")),
    (
        {"clusterName": "atlantis-prod"},
        ("clusterName = 'atlantis-prod'", "is the name of the cluster that the stack creates"),
    ),
    ({"logKeyArn": "alias/logs"}, ("logKeyArn = 'alias/logs'", "must be an ARN such as arn:aws:kms:")),
    ({"logKeyArn": _KEY}, (f"logKeyArn = '{_KEY}'", "must be in the stack's region")),
    (
        _shared(httpsListenerArn=EXISTING_LISTENER.replace("/app/", "/net/")),
        ("httpsListenerArn = ", "the listener of an application load balancer"),
    ),
    (
        _shared(httpsListenerArn=EXISTING_LISTENER.replace(REGION, "us-east-1")),
        ("httpsListenerArn", "in the stack's region"),
    ),
    (_shared(loadBalancerSecurityGroupId=None), ("httpsListenerArn", "also requires loadBalancerSecurityGroupId")),
    (
        _shared(loadBalancerSecurityGroupId="alb"),
        ("loadBalancerSecurityGroupId = 'alb'", "must be a security group ID"),
    ),
    (_shared(vpcId=None, privateSubnetIds=[]), ("httpsListenerArn", "also requires vpcId and privateSubnetIds")),
    (_shared(privateSubnetIds=[]), ("vpcId: also requires privateSubnetIds",)),
    (
        _shared(publicSubnetIds=EXISTING_VPC["publicSubnetIds"]),
        ("publicSubnetIds", "a load balancer that the stack creates"),
    ),
    (
        _shared(acmCertificateArn=LOCAL["acmCertificateArn"]),
        ("httpsListenerArn", "acmCertificateArn", "add this one to the listener"),
    ),
    (_shared(webAclArn=_WEB_ACL), ("webAclArn", "applies to all services behind a load balancer")),
    (_shared(loadBalancerIdleTimeout=60), ("loadBalancerIdleTimeout = 60", "its own idle timeout")),
    (_shared(listenerRulePriority=49_874), ("listenerRulePriority = 49874", "an integer from 0 to 49873")),
    ({"listenerRulePriority": 7}, ("listenerRulePriority = 7", "requires httpsListenerArn")),
    ({"extendSecurityGroup": True}, ("extendSecurityGroup = True", "requires httpsListenerArn")),
    ({"loadBalancerSecurityGroupId": EXISTING_GROUP}, ("loadBalancerSecurityGroupId", "requires httpsListenerArn")),
    ({"serviceRegistryArn": _REGISTRY}, ("serviceRegistryArn", "requires loadBalancerScheme none")),
    (
        _private(allowedCidrBlocks=["8.8.8.0/24"]),
        ("loadBalancerScheme = 'none'", "only private ranges can reach a task"),
    ),
    (
        _private(hostedZoneId="Z0123456789ABCDEFGHIJ"),
        ("loadBalancerScheme = 'none'", "hostedZoneId", "no load balancer for an alias"),
    ),
    (
        _private(githubWebhookCidrBlocks=["10.1.0.0/16"]),
        ("githubWebhookCidrBlocks", "list what forwards them in allowedCidrBlocks"),
    ),
    (
        _private(**_shared(acmCertificateArn=None)),
        ("loadBalancerScheme = 'none'", "httpsListenerArn", "a listener is of a load balancer"),
    ),
]
