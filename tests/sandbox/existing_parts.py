"""Settings of stacks in existing parts: an existing cluster, load balancer and key, or no load balancer."""

from typing import Any

_ACCOUNT = "999999999999"
_LISTENER = (
    f"arn:aws:elasticloadbalancing:ap-northeast-2:{_ACCOUNT}:listener/app/shared/50dc6c495c0c9188/f2f7dc8efc522ab2"
)
_EXISTING_VPC: dict[str, Any] = {
    "vpcId": "vpc-0a1b2c3d4e5f60718",
    "privateSubnetIds": ["subnet-0a1b2c3d4e5f60713", "subnet-0a1b2c3d4e5f60714"],
}
SHARED: dict[str, Any] = _EXISTING_VPC | {
    "acmCertificateArn": "",
    "httpsListenerArn": _LISTENER,
    "loadBalancerSecurityGroupId": "sg-0a1b2c3d4e5f60718",
    "clusterName": "platform",
    "logKeyArn": f"arn:aws:kms:ap-northeast-2:{_ACCOUNT}:key/0a1b2c3d-4e5f-6071-8293-a4b5c6d7e8f9",
}
PRIVATE: dict[str, Any] = {
    "loadBalancerScheme": "none",
    "hostedZoneId": "",
    "acmCertificateArn": "",
    "allowedCidrBlocks": ["10.64.0.0/16"],
    "serviceRegistryArn": "arn:aws:servicediscovery:ap-northeast-2:123456789012:service/srv-abcdefgh12345678",
}
