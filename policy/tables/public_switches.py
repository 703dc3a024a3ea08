"""The properties that make a resource public."""

from typing import Final

# Properties that make a resource public: type, path, values that do so (none: true and ENABLED), check, consequence.
PUBLIC_SWITCHES: Final = (
    ("ecs/service", "networkConfiguration.assignPublicIp", (), "public-address", "its tasks get public IP addresses"),
    ("ecs/taskSet", "networkConfiguration.assignPublicIp", (), "public-address", "its tasks get public IP addresses"),
    (
        *("cloudwatch/eventTarget", "ecsTarget.networkConfiguration.assignPublicIp", (), "public-address"),
        "the tasks that it starts get public IP addresses",
    ),
    (
        *("scheduler/schedule", "target.ecsParameters.networkConfiguration.assignPublicIp", (), "public-address"),
        "the tasks that it starts get public IP addresses",
    ),
    ("ec2/instance", "associatePublicIpAddress", (), "public-address", "the instance gets a public IP address"),
    (
        "ec2/spotInstanceRequest",
        "associatePublicIpAddress",
        (),
        "public-address",
        "the instance gets a public IP address",
    ),
    (
        "ec2/launchConfiguration",
        "associatePublicIpAddress",
        (),
        "public-address",
        "its instances get public IP addresses",
    ),
    (
        *("ec2/launchTemplate", "networkInterfaces.associatePublicIpAddress", (), "public-address"),
        "its instances get public IP addresses",
    ),
    (
        *("msk/cluster", "brokerNodeGroupInfo.connectivityInfo.publicAccess.type", ("SERVICE_PROVIDED_EIPS",)),
        *("public-database", "it is reachable from the internet"),
    ),
    *(
        (canonical, "publiclyAccessible", (), "public-database", "it is reachable from the internet")
        for canonical in (
            *("dms/replicationInstance", "lightsail/database", "mq/broker", "neptune/clusterInstance", "rds/cluster"),
            *("rds/clusterInstance", "rds/instance", "redshift/cluster", "redshiftserverless/workgroup"),
        )
    ),
    ("ec2/amiLaunchPermission", "group", ("all",), "public-policy", "every AWS account can launch the AMI"),
    ("rds/snapshot", "sharedAccounts", ("all",), "public-policy", "every AWS account can restore the snapshot"),
    (
        "rds/clusterSnapshotCopy",
        "sharedAccounts",
        ("all",),
        "public-policy",
        "every AWS account can restore the snapshot",
    ),
    (
        "docdb/clusterSnapshot",
        "sharedAccounts",
        ("all",),
        "public-policy",
        "every AWS account can restore the snapshot",
    ),
)

# Properties that must have a value, since AWS' default or any other one is public: type, path, values, check, consequence.
_INTERNET: Final = "it is reachable from the internet"
_ANYONE: Final = "every client in the associated VPCs can call it"
PRIVATE_SETTINGS: Final = (
    (
        *("apprunner/service", "networkConfiguration.ingressConfiguration.isPubliclyAccessible", (False, "false")),
        *("public-endpoint", _INTERNET),
    ),
    ("transfer/server", "endpointType", ("VPC", "VPC_ENDPOINT"), "public-endpoint", _INTERNET),
    ("vpclattice/service", "authType", ("AWS_IAM",), "public-endpoint", _ANYONE),
    ("vpclattice/serviceNetwork", "authType", ("AWS_IAM",), "public-endpoint", _ANYONE),
    (
        *("sagemaker/notebookInstance", "directInternetAccess", ("Disabled",), "public-endpoint"),
        "the notebook has direct internet access",
    ),
    ("lambda/functionUrl", "authorizationType", ("AWS_IAM",), "public-policy", "anyone can call the function's URL"),
    (
        *("emr/blockPublicAccessConfiguration", "blockPublicSecurityGroupRules", (True, "true"), "public-endpoint"),
        "clusters can have security groups that everyone reaches",
    ),
)
