"""How to get round the mandatory checks: another resource type, a native type, a document in a string, a default, an unknown.

single-task has its own in rows_single_task. Where other scanners have the same rule, the row ends in its ID.
"""

import json
from dataclasses import replace
from typing import Any, Final

from tests.policy.rows import KEY, Row, allow, deny, document, found, one, passes
from tests.policy.servicer import UNKNOWN, Planned
from tests.tables import table


def native(kind: str, name: str = "it", /, **properties: Any) -> Planned:
    """A resource of aws-native."""
    return Planned(f"aws-native:{kind}", name, properties)


def _stores() -> list[Row]:
    """Stores that another provider's name, a string, a default or a parent leaves unencrypted."""
    plain, disk = "encryption/at-rest", "encryption-stack/at-rest"
    launched = one("ec2/instance", launchTemplate={"id": "lt-1"})
    return [
        found(plain, "false as a string, CKV_AWS_16 AVD-AWS-0080", one("rds/instance", storageEncrypted="false")),
        # As SQS reports a queue with a key.
        passes(plain, "queue with a key", one("sqs/queue", kmsMasterKeyId="alias/a", sqsManagedSseEnabled=False)),
        found(plain, "warehouse that turns its default off", one("redshift/cluster", encrypted="false")),
        passes(plain, "hadoop with an unknown one", one("emr/cluster", securityConfiguration=UNKNOWN)),
        found(plain, "cluster of RDS that isn't Aurora", one("rds/cluster", engine="postgres")),
        passes(plain, "native instance of a cluster", native("rds:DbInstance", dbClusterIdentifier="c")),
        passes(
            "encryption-stack/at-rest",
            "native instance of an encrypted cluster",
            native("rds:DbCluster", "cluster", dbClusterIdentifier="c", engine="aurora-mysql", storageEncrypted=True),
            native("rds:DbInstance", dbClusterIdentifier="c"),
        ),
        found(
            "encryption/customer-key",
            "key of AWS by ARN",
            one("efs/fileSystem", encrypted=True, kmsKeyId=KEY.replace("key/", "alias/aws/")),
            customerKeys=["efs"],
        ),
        found(
            "encryption/customer-key",
            "native store without a key",
            native("secretsmanager:Secret"),
            customerKeys=["secrets"],
        ),
        found("encryption-stack/at-rest", "false as a string, CKV_AWS_3", one("ebs/volume", encrypted="false")),
        found("encryption-stack/at-rest", "copy of a snapshot", one("ebs/snapshotCopy", sourceSnapshotId="snap-1")),
        found(disk, "image", one("ec2/ami", ebsBlockDevices=[{"deviceName": "/dev/sda1", "volumeSize": 8}])),
        passes(disk, "image of a snapshot", one("ec2/ami", ebsBlockDevices=[{"snapshotId": "snap-9"}])),
        passes(disk, "image with encrypted disks", one("ec2/ami", ebsBlockDevices=[{"encrypted": True}])),
        found(disk, "template without disks", one("ec2/launchTemplate", "template", id="lt-1"), launched),
        passes(
            *(disk, "template without disks, of an encrypted image"),
            *(one("ec2/launchTemplate", "template", id="lt-1", imageId="ami-1"), launched),
            one("ec2/amiCopy", "image", id="ami-1", sourceAmiId="ami-0", encrypted=True),
        ),
        passes(
            *(disk, "template with an encrypted disk"),
            one("ec2/launchTemplate", "template", id="lt-1", blockDeviceMappings=[{"ebs": {"encrypted": True}}]),
            launched,
        ),
        found(
            *(disk, "nodes of a cluster"),
            one("ec2/launchTemplate", blockDeviceMappings=[{"ebs": {"volumeSize": 50}}]),
            one("eks/nodeGroup", "nodes", launchTemplate={"name": "it"}),
        ),
        passes("encryption-stack/at-rest", "unknown until the update", one("ebs/volume", encrypted=UNKNOWN)),
        found(
            *(disk, "second Region", one("ebs/encryptionByDefault", region="eu-west-1")),
            *(one("ebs/volume", "first", region="eu-west-1"), one("ebs/volume", region="eu-west-2")),
        ),
        found(disk, "instance next to a volume", one("ebs/volume", encrypted=True), one("ec2/instance", ami="ami-1")),
        replace(
            passes(
                *(disk, "copy of a volume that is reported itself", one("ebs/volume", "source", id="vol-1")),
                *(one("ebs/snapshot", "snapshot", id="snap-1", volumeId="vol-1"),),
                one("ebs/volume", "copy", snapshotId="snap-1"),
            ),
            on="copy",
        ),
        found("encryption/key-rotation", "false as a string", one("kms/key", enableKeyRotation="false")),
        found(
            "encryption/key-rotation",
            "default of AWS, AVD-AWS-0065",
            one("kms/key", customerMasterKeySpec="SYMMETRIC_DEFAULT"),
        ),
        found(
            "encryption-stack/key-resolved",
            "disabled native key by alias",
            native("kms:Key", "key", arn=KEY, enabled=False, enableKeyRotation=True),
            one("kms/alias", "alias", name="alias/a", targetKeyId=KEY),
            one("sns/topic", kmsMasterKeyId="alias/a"),
        ),
        found(
            "encryption-stack/key-resolved",
            "key disabled by a string",
            one("kms/key", "key", arn=KEY, isEnabled="false", enableKeyRotation=True),
            one("sns/topic", kmsMasterKeyId=KEY),
        ),
        *(
            found(
                *("encryption-stack/key-resolved", f"disabled key {key.type}"),
                *(key, one("sns/topic", kmsMasterKeyId=KEY)),
            )
            for key in (
                one("kms/externalKey", "key", arn=KEY, enabled=False),
                one("kms/replicaKey", "key", arn=KEY, enabled=False),
                one("kms/replicaExternalKey", "key", arn=KEY, enabled="false"),
                native("kms:ReplicaKey", "key", arn=KEY, enabled=False),
            )
        ),
        passes(
            *("encryption-stack/key-resolved", "external key"),
            *(one("kms/externalKey", "key", arn=KEY, enabled=True), one("sns/topic", kmsMasterKeyId=KEY)),
        ),
        found(
            *("encryption-stack/key-resolved", "disabled replica by alias"),
            one("kms/replicaKey", "key", id="k-1", enabled=False),
            one("kms/alias", "alias", name="alias/a", targetKeyId="k-1"),
            one("sns/topic", kmsMasterKeyId="alias/a"),
        ),
        found(
            "encryption-stack/key-resolved",
            "signing key",
            one("kms/key", "key", arn=KEY, customerMasterKeySpec="RSA_4096"),
            native("sqs:Queue", kmsMasterKeyId=KEY),
        ),
        found(
            "encryption-stack/bucket-key",
            "AES by name",
            one(
                "s3/bucket",
                bucket="b",
                serverSideEncryptionConfiguration={
                    "rule": {"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256", "kmsMasterKeyId": KEY}}
                },
            ),
            bucketCustomerKeys=True,
        ),
        found(
            "encryption-stack/bucket-key", "native bucket", native("s3:Bucket", bucketName="b"), bucketCustomerKeys=True
        ),
    ]


def _denials(bucket: str, objects: str) -> str:
    plain = {"Principal": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}
    listed, read = deny(**plain, Action="s3:ListBucket", Resource=bucket), deny(**plain, Resource=objects)
    return document(listed, {**read, "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"]})


def _transit() -> list[Row]:
    """Connections without TLS behind another block, a parameter, a document or a second statement."""
    link, edge = "encryption/store-transit", "encryption/edge-tls"
    partial = document(deny(Principal={"AWS": KEY}, Condition={"Bool": {"aws:SecureTransport": "false"}}))
    exception = {"Bool": {"aws:SecureTransport": "false"}, "StringNotEquals": {"aws:PrincipalTag/a": "b"}}
    volume = {"name": "v", "efsVolumeConfiguration": {"fileSystemId": "fs-1"}}
    ssl = {"name": "require_secure_transport", "value": "OFF"}
    return [
        passes("encryption/cache-transit", "node of a group", one("elasticache/cluster", replicationGroupId="g")),
        *(
            passes(check, f"TLS by default, {kind}", one(kind, **given))
            for check, kind, given in (
                ("encryption/cache-transit", "memorydb/cluster", {}),
                (link, "msk/cluster", {}),
                (link, "dms/endpoint", {"redisSettings": {}, "kafkaSettings": {}}),
                (link, "opensearch/domain", {"domainEndpointOptions": {}}),
                (link, "elasticsearch/domain", {"domainEndpointOptions": {}}),
            )
        ),
        found(
            link,
            "serverless warehouse",
            one(
                "redshiftserverless/workgroup",
                configParameters=[{"parameterKey": "require_ssl", "parameterValue": "false"}],
            ),
        ),
        passes(
            link,
            "serverless warehouse by default",
            one(
                "redshiftserverless/workgroup",
                configParameters=[
                    {"parameterKey": "auto_mv", "parameterValue": "false"},
                    {"parameterKey": "use_fips_ssl", "parameterValue": "false"},
                ],
            ),
        ),
        found(link, "topic that delivers over HTTP", one("sns/topicSubscription", protocol="http")),
        passes(link, "topic that delivers to a queue", one("sns/topicSubscription", protocol="sqs")),
        found(link, "migration to redis", one("dms/endpoint", redisSettings={"sslSecurityProtocol": "plaintext"})),
        found(link, "migration to kafka", one("dms/endpoint", kafkaSettings={"securityProtocol": "sasl-plaintext"})),
        passes(
            link, "migration to kafka with TLS", one("dms/endpoint", kafkaSettings={"securityProtocol": "sasl-ssl"})
        ),
        found(link, "transfer of files", one("datasync/efsLocation", efsFileSystemArn="arn:fs")),
        passes(link, "transfer of files with TLS", one("datasync/efsLocation", inTransitEncryption="TLS1_2")),
        *(
            found(link, f"glue connection {name}", one("glue/connection", connectionProperties={name: "false"}))
            for name in ("JDBC_ENFORCE_SSL", "KAFKA_SSL_ENABLED")
        ),
        passes(
            link, "glue connection with TLS", one("glue/connection", connectionProperties={"JDBC_ENFORCE_SSL": "true"})
        ),
        found(
            link,
            "parameter that turns TLS off",
            one("rds/clusterParameterGroup", family="aurora-mysql8.0", parameters=[ssl]),
        ),
        found(link, "transfer of FTP and SFTP", one("transfer/server", protocols=["SFTP", "FTP"])),
        found(
            "encryption/volume-transit",
            "native task",
            native("ecs:TaskDefinition", volumes=[{"name": "v", "efsVolumeConfiguration": {"filesystemId": "fs-1"}}]),
        ),
        *(
            found("encryption/volume-transit", f"batch job, {name}", one("batch/jobDefinition", **{name: job}))
            for name, job in (
                ("ecsProperties", json.dumps({"taskProperties": [{"volumes": [volume]}]})),
                (
                    "nodeProperties",
                    {"nodeRangeProperties": [{"ecsProperties": {"taskProperties": [{"volumes": [volume]}]}}]},
                ),
            )
        ),
        found("encryption/volume-transit", "second volume", one("ecs/taskDefinition", volumes=[{"name": "a"}, volume])),
        found(
            "encryption/plain-transport", "deny for one principal", one("s3/bucketPolicy", bucket="b", policy=partial)
        ),
        found(
            "encryption/plain-transport",
            "deny with an exception",
            one("s3/bucketPolicy", bucket="b", policy=document(deny(Principal="*", Condition=exception))),
        ),
        found(
            "encryption/plain-transport",
            "native policy",
            native("s3:BucketPolicy", bucket="b", policyDocument=json.loads(document(allow(Principal=KEY)))),
        ),
        passes(
            "encryption/plain-transport",
            "deny for the bucket and another for its objects",
            one("s3/bucketPolicy", bucket="b", policy=_denials("arn:aws:s3:::b", "arn:aws:s3:::b/*")),
        ),
        found(
            "encryption/plain-transport",
            "deny for the objects alone",
            one("s3/bucketPolicy", bucket="b", policy=_denials("arn:aws:s3:::b/*", "arn:aws:s3:::b/*")),
        ),
        found("encryption-stack/transport-policy", "native bucket", native("s3:Bucket", bucketName="b")),
        found(
            "encryption-stack/transport-policy",
            "policy of another bucket",
            one("s3/bucket", bucket="b"),
            one("s3/bucketPolicy", "p", bucket="c"),
        ),
        found("encryption-stack/transport-policy", "native file system", native("efs:FileSystem", encrypted=True)),
        found(
            "encryption/listener-tls",
            "native listener by default",
            native("elasticloadbalancingv2:Listener", protocol="HTTPS", port=443),
        ),
        found(
            "encryption/listener-tls",
            "classic listener of TCP",
            one("elb/loadBalancer", listeners=[{"lbProtocol": "TCP", "lbPort": 80}]),
        ),
        found(
            "encryption-stack/listener-tls",
            "native listener",
            native(
                "elasticloadbalancingv2:Listener",
                protocol="HTTP",
                port=80,
                defaultActions=[{"type": "redirect", "redirectConfig": {"protocol": "HTTP"}}],
            ),
        ),
        *(
            found(
                *("encryption-stack/listener-tls", f"TCP on {port}"),
                one("lb/listener", protocol="TCP", port=port, defaultActions=[{"type": "forward"}]),
            )
            for port in (4141, 8008, 8080)
        ),
        *(
            (found if expected else passes)(
                *("encryption-stack/listener-tls", f"classic listener of TLS with {why}, ELB.8"),
                one("elb/loadBalancer", "classic", id="lb", listeners=[{"lbProtocol": "SSL", "lbPort": 443}], **more),
                *policies,
            )
            for why, expected, policies, more in (
                ("the default policy", True, (), {}),
                (
                    "the policy of another port",
                    True,
                    (one("elb/sslNegotiationPolicy", loadBalancer="lb", lbPort=8443),),
                    {},
                ),
                ("a policy", False, (one("elb/sslNegotiationPolicy", loadBalancer="lb", lbPort=443),), {}),
                (
                    "a named policy",
                    False,
                    (one("elb/listenerPolicy", loadBalancerName="lb", loadBalancerPort=443),),
                    {},
                ),
                ("the default policy of an internal balancer", False, (), {"internal": True}),
            )
        ),
        found("encryption-advice/internal-tls", "lattice", one("vpclattice/listener", protocol="HTTP")),
        passes("encryption-advice/internal-tls", "lattice with TLS", one("vpclattice/listener", protocol="HTTPS")),
        found(
            *(edge, "second origin"),
            one(
                "cloudfront/distribution",
                origins=[{"domainName": "a"}, {"customOriginConfig": {"originProtocolPolicy": "http-only"}}],
            ),
        ),
        found(
            edge,
            "SSL 3 to the origin, CloudFront.10",
            one(
                "cloudfront/distribution",
                origins=[
                    {
                        "domainName": "a.example.com",
                        "customOriginConfig": {
                            "originProtocolPolicy": "https-only",
                            "originSslProtocols": ["TLSv1.2", "SSLv3"],
                        },
                    }
                ],
            ),
        ),
        *(
            found(edge, f"distribution of several tenants, {why}", one("cloudfront/multitenantDistribution", **bad))
            for why, bad in (
                ("second behavior", {"cacheBehaviors": [{"viewerProtocolPolicy": "allow-all"}]}),
                ("origin", {"origins": [{"customOriginConfigs": [{"originProtocolPolicy": "http-only"}]}]}),
            )
        ),
        passes(
            edge,
            "TLS to the origin",
            one(
                "cloudfront/distribution",
                origins=[
                    {
                        "domainName": "a.example.com",
                        "customOriginConfig": {"originProtocolPolicy": "https-only", "originSslProtocols": ["TLSv1.2"]},
                    }
                ],
            ),
        ),
    ]


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


def _public() -> list[Row]:
    """What is public by a default or in a document; these are advisory."""
    endpoint = "public-exposure/public-endpoint"
    path = "networkConfiguration"
    rows = [
        ("apprunner/service", {}, {path: {"ingressConfiguration": {"isPubliclyAccessible": False}}}),
        ("transfer/server", {}, {"endpointType": "VPC"}),
        ("transfer/server", {"endpointType": "PUBLIC"}, {"endpointType": "VPC_ENDPOINT"}),
        ("vpclattice/service", {"authType": "NONE"}, {"authType": "AWS_IAM"}),
        ("vpclattice/serviceNetwork", {}, {"authType": "AWS_IAM"}),
        (
            "emr/blockPublicAccessConfiguration",
            {"blockPublicSecurityGroupRules": False},
            {"blockPublicSecurityGroupRules": True},
        ),
        (
            "opensearch/serverlessSecurityPolicy",
            {"policy": '[{"AllowFromPublic": true}]'},
            {"policy": '[{"AllowFromPublic": false}]'},
        ),
    ]
    ssh = {"fromPort": 22, "toPort": 22, "protocol": "tcp"}
    return [
        *(found(endpoint, f"{kind} {number}", one(kind, **bad)) for number, (kind, bad, _) in enumerate(rows)),
        *(passes(endpoint, f"{kind} {number}", one(kind, **good)) for number, (kind, _, good) in enumerate(rows)),
        found(
            "public-exposure/open-port", "lightsail by default", one("lightsail/instancePublicPorts", portInfos=[ssh])
        ),
        found(
            "public-exposure/open-port",
            "lightsail",
            one("lightsail/instancePublicPorts", portInfos=[{**ssh, "cidrs": ["0.0.0.0/0"]}]),
        ),
        passes(
            "public-exposure/open-port",
            "lightsail of an office",
            one("lightsail/instancePublicPorts", portInfos=[{**ssh, "cidrs": ["203.0.113.0/24"]}]),
        ),
        passes(
            "public-exposure/open-port",
            "lightsail's website",
            one("lightsail/instancePublicPorts", portInfos=[{"fromPort": 443, "toPort": 443, "protocol": "tcp"}]),
        ),
        passes(
            "recovery/backup", "cache with snapshots", one("elasticache/replicationGroup", snapshotRetentionLimit=1)
        ),
        found("recovery/backup", "redis without a group, ElastiCache.1", one("elasticache/cluster", engine="redis")),
        *(
            passes(
                "recovery/backup",
                f"{engine} without a finding",
                one("elasticache/cluster", **given),
            )
            for engine, given in (
                ("memcached", {"engine": "memcached"}),
                ("redis", {"engine": "redis", "snapshotRetentionLimit": 1}),
                ("node", {"engine": "redis", "replicationGroupId": "g"}),
            )
        ),
    ]


# Check, type of aws-native, a resource with the fault, and one without it.
_NATIVE: Final = table(__file__, "native")


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
        *(
            found(check, f"native {kind} {number}", native(kind, **bad))
            for number, (check, kind, bad, _) in enumerate(_NATIVE)
        ),
        *(
            passes(check, f"native {kind} {number}", native(kind, **good))
            for number, (check, kind, _, good) in enumerate(_NATIVE)
        ),
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


EVASIONS: Final[tuple[Row, ...]] = (*_stores(), *_transit(), *_addresses(), *_public(), *_replaced())
