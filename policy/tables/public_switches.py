"""The properties that make a resource public."""

from typing import Final

__all__ = ["PUBLIC_SWITCHES"]

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
