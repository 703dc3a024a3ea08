"""How to get round the mandatory checks: another resource type, a native type, a document in a string, a default, an unknown.

single-task has its own in rows_single_task. Where other scanners have the same rule, the row ends in its ID.
"""

import json
from dataclasses import replace
from typing import Any, Final

from tests.policy.rows import KEY, Row, allow, document, found, one, passes, written
from tests.policy.servicer import UNKNOWN, Planned


def native(kind: str, name: str = "it", /, **properties: Any) -> Planned:
    """A resource of aws-native."""
    return Planned(f"aws-native:{kind}", name, properties)


_VOLUME_COPY: Final = replace(
    passes(
        *("encryption-stack/at-rest", "copy of a volume that is reported itself"),
        one("ebs/volume", "source", id="vol-1"),
        one("ebs/snapshot", "snapshot", id="snap-1", volumeId="vol-1"),
        one("ebs/volume", "copy", snapshotId="snap-1"),
    ),
    on="copy",
)

_GROUP: Final = one("ec2/securityGroup", "group", id="sg-1")
_BALANCER: Final = one("lb/loadBalancer", "balancer", arn="arn:lb", securityGroups=["sg-1"], internal=True)
_LINKED: Final = {
    "x-amazon-apigateway-integration": {"type": "http_proxy", "connectionType": "VPC_LINK", "connectionId": "l"}
}
_BODY: Final[dict[str, Any]] = {"openapi": "3.0.1", "paths": {"/": {"x-amazon-apigateway-any-method": _LINKED}}}
_YAML: Final = "paths:\n  /:\n    get:\n      x-amazon-apigateway-integration:\n        connectionType: VPC_LINK\n"
_OFFICE: Final = json.loads(document(allow(Principal="*", Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})))


def _entered(*resources: Planned, why: str, expected: bool = True, check: str = "entry") -> Row:
    """What is next to a load balancer and an integration without a fault."""
    web = one("apigateway/integration", "web", connectionType="INTERNET", restApi="a")
    return (found if expected else passes)(f"cidr-restriction/{check}", why, _BALANCER, _GROUP, web, *resources)


def _rule(why: str, expected: bool = True, **properties: Any) -> Row:
    rule = one(
        "vpc/securityGroupIngressRule", securityGroupId="sg-1", ipProtocol="tcp", fromPort=443, toPort=443, **properties
    )
    return _entered(rule, why=why, expected=expected, check="ranges")


def _addresses() -> list[Row]:
    """Ranges written in another way, and entrances that no security group restricts."""
    nlb = {"loadBalancerType": "network", "arn": "arn:nlb"}
    return [
        _entered(
            one(
                *(
                    "ec2/securityGroup",
                    "two",
                ),
                ingress=[
                    {"protocol": "icmp", "fromPort": 3, "toPort": 4, "cidrBlocks": ["0.0.0.0/0"]},
                    {"protocol": "udp", "cidrBlocks": ["0.0.0.0/0"]},
                ],
            ),
            why="rule after one of path MTU discovery",
            check="ranges",
        ),
        _rule("mapped IPv4", cidrIpv6="::ffff:0:0/96"),
        _rule("a mapped public range", cidrIpv6="::ffff:8.8.0.0/112"),
        _rule("a mapped private range", False, cidrIpv6="::ffff:10.0.0.0/104"),
        _rule("host bits", cidrIpv4="10.0.0.1/7"),
        _rule("unicast of IPv6", cidrIpv6="2000::/3"),
        _entered(
            native("ec2:SecurityGroupIngress", groupId="sg-1", ipProtocol="-1", cidrIp="0.0.0.0/0"),
            why="native rule",
            check="ranges",
        ),
        _entered(
            one(
                "ec2/securityGroupRule",
                type="ingress",
                securityGroupId="sg-1",
                protocol="all",
                cidrBlocks=["10.0.0.0/8", "0.0.0.0/1"],
            ),
            why="second of two",
            check="ranges",
        ),
        _entered(
            one("ec2/managedPrefixList", "list", id="pl-1", entries=[{"cidr": "0.0.0.0/0"}]),
            one("vpc/securityGroupIngressRule", securityGroupId="sg-1", prefixListId="pl-1"),
            why="list of the stack",
            check="ranges",
        ),
        _entered(
            one("vpc/securityGroupIngressRule", securityGroupId="sg-1", prefixListId="pl-2"),
            why="list of another stack",
            check="prefix-list",
        ),
        _entered(one("lb/loadBalancer", "nlb", **nlb, internal=False), why="network load balancer", check="guarded"),
        _entered(one("lb/loadBalancer", "nlb", **nlb), why="network load balancer by default", check="guarded"),
        _entered(
            Planned("aws:lb/loadBalancer:LoadBalancer", "nlb", {**nlb, "internal": UNKNOWN}, {"internal": ("x",)}),
            why="network load balancer whose scheme is unknown",
            expected=False,
            check="guarded",
        ),
        _entered(one("apigatewayv2/api", protocolType="HTTP", body=json.dumps(_BODY)), why="HTTP API in a document"),
        _entered(one("apigatewayv2/api", protocolType="HTTP", body=_YAML), why="HTTP API in YAML"),
        _entered(
            one("apigatewayv2/api", protocolType="HTTP", body=_YAML.replace("VPC_LINK", "INTERNET")),
            why="HTTP API of the internet",
            expected=False,
        ),
        _entered(
            Planned("aws:apigatewayv2/api:Api", "api", {"body": UNKNOWN}, {"body": ("link",)}),
            one("apigatewayv2/vpcLink", "link"),
            why="HTTP API in an unknown document",
        ),
        _entered(
            one("lb/listener", arn="arn:listener", loadBalancerArn="arn:lb"),
            one("apigatewayv2/integration", connectionType="VPC_LINK", connectionId="x", integrationUri="arn:listener"),
            why="link of another stack",
        ),
        _entered(one("apigateway/restApi", body=json.dumps(_BODY)), why="REST API in a document"),
        _entered(
            one("apigateway/restApi", body=json.dumps({**_BODY, "x-amazon-apigateway-policy": _OFFICE})),
            why="REST API with a policy in its document",
            expected=False,
        ),
        _entered(
            one("apigateway/restApi", "api", id="a", body=json.dumps(_BODY)),
            one("apigateway/restApiPolicy", restApiId="a", policy=json.dumps(_OFFICE)),
            why="REST API with a separate policy",
            expected=False,
        ),
        _entered(
            one("globalaccelerator/endpointGroup", endpointConfigurations=[{"endpointId": "arn:lb"}]), why="accelerator"
        ),
        _entered(
            one("apigateway/vpcLink", "link", id="l"),
            one("apigatewayv2/integration", connectionType="VPC_LINK", connectionId="l"),
            why="WebSocket API through a link of REST APIs",
        ),
        _entered(
            one("servicediscovery/service", "tasks", arn="arn:tasks"),
            one("apigatewayv2/integration", connectionType="VPC_LINK", connectionId="x", integrationUri="arn:tasks"),
            why="tasks by their names, through a link of another stack",
        ),
        *(
            _entered(
                one("apigateway/restApi", "api", id="a", **policy),
                one("apigatewayv2/vpcLink", "link", id="l"),
                one("apigateway/integration", connectionType="VPC_LINK", restApi="a", **target),
                why=f"REST API through {why}",
                expected=not policy,
            )
            for why, target, policy in (
                ("a newer link", {"connectionId": "l"}, {}),
                ("a link in a variable of the stage", {"connectionId": "${stageVariables.link}"}, {}),
                ("a newer link of addresses", {"connectionId": "l"}, {"policy": _OFFICE}),
                ("a link of another stack", {"connectionId": "x", "integrationTarget": "arn:lb"}, {}),
            )
        ),
        # The group that admits VPC Lattice, or its addresses, is a finding: nobody else can connect to the balancer.
        _entered(
            one("vpclattice/targetGroup", "targets", id="tg", type="ALB"),
            one("vpclattice/targetGroupAttachment", targetGroupIdentifier="tg", target={"id": "arn:lb"}),
            one("vpc/securityGroupIngressRule", "rule", securityGroupId="sg-1", prefixListId="pl-lattice"),
            why="VPC Lattice, by its prefix list",
            check="prefix-list",
        ),
        _rule("VPC Lattice, by its addresses", cidrIpv4="169.254.171.0/24"),
        *(
            _entered(
                one("ec2/vpcEndpointService", "service", id="s", acceptanceRequired=accepts),
                one(*("ec2/vpcEndpointServiceAllowedPrinciple",), vpcEndpointServiceId="s", principalArn=principal),
                why=f"endpoint service of {why}",
                expected=expected,
            )
            for why, accepts, principal, expected in (
                ("everybody by a separate resource", False, "*", True),
                ("everybody that accepts, as a string", "true", "*", False),
                ("a whole account by a separate resource", False, "arn:aws:iam::123456789012:root", False),
            )
        ),
        _entered(
            native("ec2:VpcEndpointService", "service", serviceId="s"),
            native("ec2:VpcEndpointServicePermissions", serviceId="s", allowedPrincipals=["123456789012", "*"]),
            why="native endpoint service of everybody",
        ),
        *(
            replace(
                _entered(one("verifiedaccess/endpoint", endpointType=kind), why=f"Verified Access of a {kind}"),
                expected=frozenset({outcome}),
            )
            for kind, outcome in (("load-balancer", "undecided"), ("rds", "nothing"))
        ),
    ]


def _replaced() -> list[Row]:
    """Types of aws-native that replace a type of aws. Those that refer to others are written out."""
    server = {"name": "a", "image": "runatlantis/atlantis:v0.47.1", "mountPoints": [{"sourceVolume": "d"}]}
    volume = {
        "name": "d",
        "efsVolumeConfiguration": {"filesystemId": "fs-1", "authorizationConfig": {"accessPointId": "ap-1"}},
    }
    task = native("ecs:TaskDefinition", "task", family="app", containerDefinitions=[server], volumes=[volume])
    point = native("efs:AccessPoint", "point", accessPointId="ap-1", arn="arn:ap/ap-1", fileSystemId="fs-1")
    running = {"taskDefinition": "app", "deploymentConfiguration": {"maximumPercent": 100, "minimumHealthyPercent": 0}}
    service = native("ecs:Service", "service", serviceName="app", cluster="ci", **running)
    run = {"taskDefinitionArn": "app"}
    state = {"Resource": "arn:aws:states:::ecs:runTask", "Parameters": {"TaskDefinition": "app"}}
    started = "single-task/started"
    private = native("ec2:Vpc", "vpc", cidrBlock="198.51.100.0/24")
    link = native("apigateway:VpcLink", "link", vpcLinkId="l")
    return [
        found("single-task/desired-count", "native service", native("ecs:Service", desiredCount=2, **running), task),
        passes("single-task/desired-count", "native service of one task", service, task),
        found(
            "single-task/rolling",
            "native task set",
            native("ecs:TaskSet", "set", **run),
            native("ecs:Service", "s", serviceName="s", deploymentController={"type": "EXTERNAL"}, **running),
            task,
        ),
        found(
            "single-task/rolling",
            "native deployment group",
            service,
            task,
            native("codedeploy:DeploymentGroup", ecsServices=[{"serviceName": "app", "clusterName": "ci"}]),
        ),
        found(
            "single-task/file-system",
            "native function",
            service,
            task,
            point,
            native("lambda:Function", fileSystemConfigs=[{"arn": "arn:ap/ap-1"}]),
        ),
        passes(
            "single-task/file-system",
            "native function of other files",
            service,
            task,
            point,
            native("lambda:Function", fileSystemConfigs=[{"arn": "arn:ap/ap-2"}]),
        ),
        found(
            started,
            "native rule, second target",
            service,
            task,
            native(
                "events:Rule",
                targets=[{"arn": KEY}, {"ecsParameters": {"taskDefinitionArn": "x"}}, {"ecsParameters": run}],
            ),
        ),
        passes(started, "native rule of another task", service, task, native("events:Rule", targets=[{"arn": KEY}])),
        found(started, "native schedule", service, task, native("scheduler:Schedule", target={"ecsParameters": run})),
        found(started, "native pipe", service, task, native("pipes:Pipe", targetParameters={"ecsTaskParameters": run})),
        found(
            started,
            "native state machine",
            service,
            task,
            native("stepfunctions:StateMachine", definition={"States": {"a": state}}),
        ),
        found(
            started,
            "native state machine in a string",
            service,
            task,
            native("stepfunctions:StateMachine", definitionString=json.dumps({"States": {"a": state}})),
        ),
        found(
            started,
            "native state machine with a placeholder",
            service,
            task,
            native(
                "stepfunctions:StateMachine",
                definitionString=json.dumps({"States": {"a": {**state, "Parameters": {"TaskDefinition": "${Task}"}}}}),
                definitionSubstitutions={"Task": "app"},
            ),
        ),
        found(
            *(started, "native association of AWS' runbook", service, task),
            native("ssm:Association", name="AWS-ECSRunTask", parameters={"taskDefinitionArn": ["app"]}),
        ),
        found(
            *(started, "native rule that starts AWS' runbook", service, task),
            native(
                "events:Rule",
                targets=[
                    {
                        "arn": "arn:aws:ssm:a:1:automation-definition/AWS-ECSRunTask",
                        "input": json.dumps({"taskDefinitionArn": ["app"]}),
                    }
                ],
            ),
        ),
        _entered(native("apigatewayv2:Api", protocolType="HTTP", body=_BODY), why="native HTTP API"),
        _entered(
            native("apigatewayv2:VpcLink", "link", vpcLinkId="l"),
            native("apigatewayv2:Integration", connectionType="VPC_LINK", connectionId="l"),
            why="native integration",
        ),
        _entered(
            link,
            native("apigateway:RestApi", "api", restApiId="a"),
            native("apigateway:Method", restApiId="a", integration={"connectionId": "l"}),
            why="native method",
        ),
        _entered(
            link,
            native("apigateway:RestApi", "api", restApiId="a", policy=_OFFICE),
            native("apigateway:Method", restApiId="a", integration={"connectionId": "l"}),
            why="native method with a policy",
            expected=False,
        ),
        replace(
            _entered(
                native("apigateway:RestApi", bodyS3Location={"bucket": "b", "key": "api.yaml"}), why="native body in S3"
            ),
            expected=frozenset({"undecided"}),
        ),
        _entered(native("cloudfront:VpcOrigin", vpcOriginEndpointConfig={"arn": "arn:lb"}), why="native VPC origin"),
        _entered(
            native("globalaccelerator:EndpointGroup", endpointConfigurations=[{"endpointId": "arn:lb"}]),
            why="native accelerator",
        ),
        _entered(
            native("ec2:PrefixList", "list", prefixListId="pl-1", entries=[{"cidr": "0.0.0.0/0"}]),
            native("ec2:SecurityGroupIngress", groupId="sg-1", sourcePrefixListId="pl-1"),
            why="native list",
            check="ranges",
        ),
        _entered(
            private,
            native("ec2:SecurityGroupIngress", groupId="sg-1", ipProtocol="tcp", cidrIp="198.51.100.0/24"),
            why="range of a native VPC",
            expected=False,
            check="ranges",
        ),
    ]


EVASIONS: Final[tuple[Row, ...]] = (*written("evasions"), _VOLUME_COPY, *_addresses(), *_replaced())
