"""What other scanners' rules report, as resources written anew: the pack agrees, or a row has the reason for the difference.

F and W: rules of cfn-nag (stelligent/cfn_nag, lib/cfn-nag/custom_rules); AWS: checks of Trivy (aquasecurity/trivy-checks,
checks/cloud/aws, where they were called AVD-AWS before); FG: rules of Regula (fugue/regula, rego/rules). Read on December 2, 2026.
"""

import json
from typing import Any, Final

from tests.policy.rows import KEY, Row, allow, document, found, one, passes

_TOPIC: Final = {"Action": "sns:Publish", "Resource": "arn:aws:sns:eu-west-1:123456789012:t"}
_OPEN: Final = [{"protocol": "tcp", "fromPort": 443, "toPort": 443, "cidrBlocks": ["0.0.0.0/0"]}]
_ACCOUNT: Final = {"AWS": "123456789012"}
_BLOCKED: Final = dict.fromkeys(
    ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"), True
)


def _policy(**statement: Any) -> dict[str, Any]:
    return {"policy": document(allow(**statement))}


def _edge(protocol: str, version: str = "TLSv1.2_2021") -> dict[str, Any]:
    return {
        "defaultCacheBehavior": {"viewerProtocolPolicy": protocol},
        "viewerCertificate": {"acmCertificateArn": "arn:c", "minimumProtocolVersion": version},
    }


def _emr(*enabled: str) -> dict[str, Any]:
    return {"configuration": json.dumps({"EncryptionConfiguration": {"a": 1, **dict.fromkeys(enabled, True)}})}


_FORWARD: Final = {"port": 80, "protocol": "HTTP", "defaultActions": [{"type": "forward"}]}
_TO_HTTPS: Final = [{"type": "redirect", "redirect": {"protocol": "HTTPS", "statusCode": "HTTP_301"}}]
_VOLUME: Final = {"fileSystemId": "fs-1"}

AGREED: Final[tuple[tuple[Any, ...], ...]] = (
    ("F1 AWS-0026 FG_R00016", "encryption-stack/at-rest", "ebs/volume", {}, {"encrypted": True}),
    ("F19 AWS-0065 FG_R00036", "encryption/key-rotation", "kms/key", {}, {"enableKeyRotation": True}),
    ("F25 AWS-0045", "encryption/at-rest", "elasticache/replicationGroup", {}, {"atRestEncryptionEnabled": True}),
    ("F27 AWS-0080 FG_R00093", "encryption/at-rest", "rds/instance", {}, {"storageEncrypted": True}),
    ("F30 AWS-0076", "encryption/at-rest", "neptune/cluster", {}, {"storageEncrypted": True}),
    ("F32 AWS-0037", "encryption/at-rest", "efs/fileSystem", {}, {"encrypted": True}),
    (
        *("F33 AWS-0051 FG_R00105", "encryption/cache-transit", "elasticache/replicationGroup", {}),
        {"transitEncryptionEnabled": True},
    ),
    ("W49 AWS-0064", "encryption/at-rest", "kinesis/stream", {}, {"encryptionType": "KMS", "kmsKeyId": "alias/a"}),
    (
        *("F29 AWS-0109", "encryption/at-rest", "workspaces/workspace", {}),
        {"rootVolumeEncryptionEnabled": True, "userVolumeEncryptionEnabled": True},
    ),
    ("AWS-0021", "encryption/at-rest", "docdb/cluster", {}, {"storageEncrypted": True}),
    ("W83 AWS-0023", "encryption/at-rest", "dax/cluster", {}, {"serverSideEncryption": {"enabled": True}}),
    ("W54 AWS-0048", "encryption/at-rest", "elasticsearch/domain", {}, {"encryptAtRest": {"enabled": True}}),
    (
        *("W88", "encryption/at-rest", "kinesis/firehoseDeliveryStream", {"destination": "extended_s3"}),
        {"serverSideEncryption": {"enabled": True}},
    ),
    (
        *("AWS-0018", "encryption/at-rest", "codebuild/project", {"artifacts": {"encryptionDisabled": True}}),
        {"artifacts": {"type": "S3"}},
    ),
    ("W63", "encryption/at-rest", "emr/cluster", {}, {"securityConfiguration": "s"}),
    (
        *("W61 AWS-0137", "encryption/at-rest", "emr/securityConfiguration", _emr("EnableInTransitEncryption")),
        _emr("EnableAtRestEncryption", "EnableInTransitEncryption"),
    ),
    (
        *("AWS-0138", "encryption/store-transit", "emr/securityConfiguration", _emr("EnableAtRestEncryption")),
        _emr("EnableAtRestEncryption", "EnableInTransitEncryption"),
    ),
    (
        *("W87", "encryption/at-rest", "apigateway/methodSettings", {"settings": {"cachingEnabled": True}}),
        {"settings": {"cachingEnabled": True, "cacheDataEncrypted": True}},
    ),
    (
        *("W85", "encryption/store-transit", "elasticsearch/domain", {"clusterConfig": {"instanceCount": 2}}),
        {"nodeToNodeEncryption": {"enabled": True}, "domainEndpointOptions": {"enforceHttps": True}},
    ),
    (
        *(
            "AWS-0046",
            "encryption/store-transit",
            "elasticsearch/domain",
            {"domainEndpointOptions": {"enforceHttps": False}},
        ),
        {"domainEndpointOptions": {"enforceHttps": True}},
    ),
    (
        *("AWS-0126", "encryption/store-transit", "elasticsearch/domain"),
        {"domainEndpointOptions": {"enforceHttps": True, "tlsSecurityPolicy": "Policy-Min-TLS-1-0-2019-07"}},
        {"domainEndpointOptions": {"enforceHttps": True, "tlsSecurityPolicy": "Policy-Min-TLS-1-2-2019-07"}},
    ),
    (
        *("AWS-0073", "encryption/store-transit", "msk/cluster"),
        {"encryptionInfo": {"encryptionInTransit": {"clientBroker": "TLS_PLAINTEXT"}}},
        {"encryptionInfo": {"encryptionInTransit": {"clientBroker": "TLS", "inCluster": True}}},
    ),
    (
        *("AWS-0035", "encryption/volume-transit", "ecs/taskDefinition"),
        {"volumes": [{"name": "v", "efsVolumeConfiguration": _VOLUME}]},
        {"volumes": [{"name": "v", "efsVolumeConfiguration": {**_VOLUME, "transitEncryption": "ENABLED"}}]},
    ),
    ("AWS-0012 FG_R00011", "encryption/edge-tls", "cloudfront/distribution", _edge("allow-all"), _edge("https-only")),
    (
        *("W70 AWS-0013", "encryption/edge-tls", "cloudfront/distribution", _edge("https-only", "TLSv1.1_2016")),
        _edge("https-only"),
    ),
    (
        *("FG_R00010", "encryption/edge-tls", "cloudfront/distribution"),
        {"origins": [{"domainName": "a.example", "customOriginConfig": {"originProtocolPolicy": "http-only"}}]},
        {"origins": [{"domainName": "a.example", "customOriginConfig": {"originProtocolPolicy": "https-only"}}]},
    ),
    (
        *("W62 AWS-0005 FG_R00375", "encryption/edge-tls", "apigateway/domainName", {"securityPolicy": "TLS_1_0"}),
        {"securityPolicy": "TLS_1_2"},
    ),
    (
        *("W56 AWS-0054", "encryption-stack/listener-tls", "lb/listener", _FORWARD),
        {**_FORWARD, "defaultActions": _TO_HTTPS},
    ),
    (
        *("W55 AWS-0047", "encryption/listener-tls", "lb/listener", {"port": 443, "protocol": "HTTPS"}),
        {"port": 443, "protocol": "HTTPS", "sslPolicy": "ELBSecurityPolicy-TLS13-1-2-2021-06"},
    ),
    (
        *(
            "FG_R00013",
            "encryption/listener-tls",
            "elb/loadBalancer",
            {"listeners": [{"lbProtocol": "http", "lbPort": 80}]},
        ),
        {"listeners": [{"lbProtocol": "https", "lbPort": 443}]},
    ),
    (
        *("F22 AWS-0180 FG_R00278", "public-exposure/public-database", "rds/instance", {"publiclyAccessible": True}),
        {"publiclyAccessible": False},
    ),
    (
        *("FG_R00270", "public-exposure/public-database", "redshift/cluster", {"publiclyAccessible": True}),
        {"publiclyAccessible": False},
    ),
    (
        *("W91", "public-exposure/public-database", "dms/replicationInstance", {"publiclyAccessible": True}),
        {"publiclyAccessible": False},
    ),
    (
        "AWS-0072",
        "public-exposure/public-database",
        "mq/broker",
        {"publiclyAccessible": True},
        {"publiclyAccessible": False},
    ),
    (
        *("F14 AWS-0092", "public-exposure/public-bucket", "s3/bucketAcl", {"acl": "public-read-write"}),
        {"acl": "private"},
    ),
    (
        *(
            "AWS-0086 AWS-0087 AWS-0091 AWS-0093 FG_R00229",
            "public-exposure/public-bucket",
            "s3/bucketPublicAccessBlock",
        ),
        {**_BLOCKED, "ignorePublicAcls": False},
        _BLOCKED,
    ),
    (
        *("F18", "public-exposure/public-policy", "sns/topicPolicy", _policy(**_TOPIC, Principal="*")),
        _policy(**_TOPIC, Principal=_ACCOUNT),
    ),
    (
        *("F21 FG_R00049", "public-exposure/public-policy", "sqs/queuePolicy", _policy(Action="sqs:*", Principal="*")),
        _policy(Action="sqs:*", Principal=_ACCOUNT),
    ),
    ("F76 FG_R00252", "public-exposure/public-policy", "kms/key", _policy(Principal="*"), _policy(Principal=_ACCOUNT)),
    (
        *("AWS-0032", "public-exposure/public-policy", "ecr/repositoryPolicy", _policy(Action="ecr:*", Principal="*")),
        _policy(Action="ecr:*", Principal=_ACCOUNT),
    ),
    (
        "F13 FG_R00276",
        "public-exposure/public-policy",
        "lambda/permission",
        {"principal": "*"},
        {"principal": "123456789012"},
    ),
    (
        "AWS-0050",
        "recovery/backup",
        "elasticache/replicationGroup",
        {"snapshotRetentionLimit": 0},
        {"snapshotRetentionLimit": 7},
    ),
    (
        "F4 AWS-0057 FG_R00092",
        "identity/administrator",
        "iam/policy",
        _policy(),
        _policy(Action="s3:GetObject", Resource=f"{KEY}/a"),
    ),
    # FG_R00377 excepts ports 80 and 443; a load balancer's listeners are such ports.
    ("W2 FG_R00377", "cidr-restriction/ranges", "ec2/securityGroup", {"ingress": _OPEN}, {"ingress": []}),
)
"""The rule, the check, the type, and the properties of a resource with the fault and without it."""

DIFFERENT: Final = (
    passes(
        *("encryption/at-rest", "F28 AWS-0084: Redshift encrypts new clusters by itself, since January 2025"),
        one("redshift/cluster", nodeType="ra3.large"),
    ),
    passes(
        *("encryption/at-rest", "F26 AWS-0079: Aurora encrypts new clusters by itself, since February 2026"),
        one("rds/cluster", engine="aurora-mysql"),
    ),
    passes(
        *("encryption/at-rest", "W48 AWS-0096 FG_R00070: SQS encrypts by itself, since October 2022"),
        one("sqs/queue"),
    ),
    passes(
        *("encryption-stack/bucket-key", "W41 AWS-0088 FG_R00099: S3 encrypts every object, since January 2023"),
        one("s3/bucket"),
    ),
    passes(
        *("encryption/at-rest", "W74 AWS-0025 FG_R00069: DynamoDB always encrypts; customerKeys asks for a key"),
        one("dynamodb/table"),
    ),
    found(
        *("encryption/customer-key", "W74 AWS-0025 with customerKeys"),
        one("dynamodb/table"),
        customerKeys=["dynamodb"],
    ),
    passes(
        *("cidr-restriction/ranges", "W9: a range isn't /32, and the organization allows it"),
        one("ec2/securityGroup", ingress=[{**_OPEN[0], "cidrBlocks": ["10.0.0.0/8"]}]),
    ),
    found(
        *("cidr-restriction/ranges", "W2 speaks of 0.0.0.0/0 only: half of the internet is outside of the ranges too"),
        one("ec2/securityGroup", ingress=[{**_OPEN[0], "cidrBlocks": ["128.0.0.0/1"]}]),
    ),
)

_SHARED: Final = {
    "volumes": [
        {
            "name": "efs",
            "efsVolumeConfiguration": {
                "fileSystemId": "fs-1",
                "rootDirectory": "/www",
                "authorizationConfig": {"accessPointId": "ap-1"},
            },
        }
    ],
    "containerDefinitions": json.dumps(
        [{"name": "nginx", "image": "nginx", "mountPoints": [{"sourceVolume": "efs", "containerPath": "/html"}]}]
    ),
}
_WORKERS: Final = [{"name": "worker", "image": "airflow", "command": ["worker"], "memory": 1024}]
_SITE: Final = {
    "origins": [
        {
            "domainName": "b.s3-website-us-west-2.amazonaws.com",
            "customOriginConfig": {"originProtocolPolicy": "http-only", "originSslProtocols": ["TLSv1.2"]},
        }
    ],
    "defaultCacheBehavior": {"viewerProtocolPolicy": "redirect-to-https"},
}
_WEBSITE: Final = one(
    "s3/bucket", "contentBucket", bucket="b", acl="public-read", website={"indexDocument": "index.html"}
)

# Shapes of pulumi/examples, each with its program. Read on December 2, 2026.
EXAMPLES: Final = (
    found("encryption/volume-transit", "aws-ts-lambda-efs: the task", one("ecs/taskDefinition", **_SHARED)),
    passes(
        *("single-task/file-system", "aws-ts-lambda-efs: web server and function with the same files"),
        one("ecs/service", "nginx", taskDefinition="nginx"),
        one("ecs/taskDefinition", "task", family="nginx", **_SHARED),
        one("efs/accessPoint", "ap", id="ap-1", arn="arn:ap", fileSystemId="fs-1", rootDirectory={"path": "/www"}),
        one("lambda/function", "postHandler", fileSystemConfig={"arn": "arn:ap", "localMountPath": "/mnt/storage"}),
    ),
    found(
        *("encryption/at-rest", "aws-py-wordpress-fargate-rds: database by default"),
        one("rds/instance", engine="mysql", engineVersion="5.7", storageType="gp2", publiclyAccessible=False),
    ),
    found(
        *("encryption/edge-tls", "aws-ts-static-website: no minimum version"),
        one(
            "cloudfront/distribution",
            **_SITE,
            viewerCertificate={"acmCertificateArn": "arn:c", "sslSupportMethod": "sni-only"},
        ),
    ),
    passes(
        *("encryption/edge-tls", "aws-ts-static-website: a website endpoint as origin, with CloudFront's certificate"),
        one("cloudfront/distribution", **_SITE, viewerCertificate={"cloudfrontDefaultCertificate": True}),
    ),
    found("encryption-stack/transport-policy", "aws-ts-static-website: no policy", _WEBSITE),
    passes(
        *("encryption-stack/transport-policy", "aws-ts-static-website, as a public website", _WEBSITE),
        publicWebsites={"contentBucket": "the website"},
    ),
    passes(
        *("encryption/at-rest", "aws-ts-redshift-glue-etl: warehouse by default"),
        one("redshift/cluster", clusterType="single-node", publiclyAccessible=False, skipFinalSnapshot=True),
    ),
    passes(
        *("encryption/store-transit", "aws-ts-redshift-glue-etl: connection that doesn't name TLS"),
        one(
            "glue/connection",
            connectionType="JDBC",
            connectionProperties={"JDBC_CONNECTION_URL": "jdbc:redshift://a/b"},
        ),
    ),
    found("encryption/at-rest", "aws-ts-airflow: redis outside of a group", one("elasticache/cluster", engine="redis")),
    found("encryption/at-rest", "aws-ts-airflow: database by default", one("rds/instance", engine="postgres")),
    found(
        *("encryption-stack/listener-tls", "aws-ts-airflow: HTTP on 8080"),
        one("lb/loadBalancer", "balancer", arn="arn:lb", internal=False),
        one("lb/listener", loadBalancerArn="arn:lb", port=8080, protocol="HTTP", defaultActions=[{"type": "forward"}]),
    ),
    passes(
        *("single-task/desired-count", "aws-ts-airflow: three workers without a volume"),
        one("ecs/service", "airflowworkers", desiredCount=3, taskDefinition="airflowworkers"),
        one("ecs/taskDefinition", family="airflowworkers", containerDefinitions=json.dumps(_WORKERS)),
    ),
    found("encryption/at-rest", "aws-ts-resources: stream by default", one("kinesis/stream", shardCount=1)),
    found(
        *("public-exposure/public-policy", "aws-ts-resources: repository of everybody"),
        one("ecr/repositoryPolicy", policy=document(allow(Principal="*", Action=["ecr:PutImage"], Sid="new policy"))),
    ),
    found("encryption-stack/at-rest", "aws-py-webserver: root disk by default", one("ec2/instance", ami="ami-1")),
    passes(
        *("cidr-restriction/ranges", "aws-py-webserver: an instance is neither balancer nor task"),
        one("ec2/securityGroup", "web-secgrp", id="sg-1", ingress=[{**_OPEN[0], "fromPort": 80, "toPort": 80}]),
        one("ec2/instance", ami="ami-1", vpcSecurityGroupIds=["sg-1"]),
    ),
    found(
        *("public-exposure/public-endpoint", "aws-py-eks: control plane for everyone"),
        one("eks/cluster", vpcConfig={"publicAccessCidrs": ["0.0.0.0/0"]}),
    ),
    passes(
        *("encryption-stack/at-rest", "aws-py-eks: nodes without a template, whose image decides"),
        one("eks/nodeGroup", scalingConfig={"desiredSize": 2, "maxSize": 2, "minSize": 1}),
    ),
    passes(
        *("single-task/started", "aws-py-stepfunctions: a state machine of functions"),
        one(
            "sfn/stateMachine",
            definition={"States": {"Hello": {"Type": "Task", "Resource": "arn:aws:lambda:a:1:function:f"}}},
        ),
    ),
    found(
        *("cidr-restriction/ranges", "aws-py-fargate: HTTP for everyone"),
        one("ec2/securityGroup", ingress=[{**_OPEN[0], "fromPort": 80, "toPort": 80}]),
    ),
    found(
        *("encryption-stack/listener-tls", "aws-py-fargate: the listener forwards HTTP"),
        one("lb/loadBalancer", "balancer", arn="arn:lb", internal=False, securityGroups=["sg-1"]),
        one("lb/listener", loadBalancerArn="arn:lb", port=80, defaultActions=[{"type": "forward"}]),
    ),
    passes(
        *("single-task/desired-count", "aws-py-fargate: three web servers without a volume"),
        one("ecs/service", desiredCount=3, launchType="FARGATE", taskDefinition="fargate-task-definition"),
        one(
            *("ecs/taskDefinition", "task"),
            family="fargate-task-definition",
            containerDefinitions=json.dumps(
                [{"name": "my-app", "image": "nginx", "portMappings": [{"containerPort": 80}]}]
            ),
        ),
    ),
)

EXTERNAL: Final[tuple[Row, ...]] = (
    *(found(check, rule, one(kind, **bad)) for rule, check, kind, bad, _ in AGREED),
    *(passes(check, rule, one(kind, **good)) for rule, check, kind, _, good in AGREED),
    *(*DIFFERENT, *EXAMPLES),
)
