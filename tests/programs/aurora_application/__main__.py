"""Aurora with AWS' own encryption, a parameter group that requires TLS, and a proxy."""

import pulumi_aws as aws

parameters = aws.rds.ClusterParameterGroup(
    "app", family="aurora-postgresql17", parameters=[{"name": "rds.force_ssl", "value": "1"}]
)
cluster = aws.rds.Cluster(
    "app",
    engine="aurora-postgresql",
    engine_version="17.5",
    db_cluster_parameter_group_name=parameters.name,
    manage_master_user_password=True,
    master_username="app",
    backup_retention_period=14,
)
for index in range(2):
    aws.rds.ClusterInstance(
        f"app-{index}",
        cluster_identifier=cluster.id,
        engine=aws.rds.EngineType.AURORA_POSTGRESQL,
        instance_class="db.r7g.large",
    )
aws.rds.Proxy(
    "app",
    engine_family="POSTGRESQL",
    require_tls=True,
    role_arn="arn:aws:iam::123456789012:role/proxy",
    vpc_subnet_ids=["a", "b"],
    auths=[{"auth_scheme": "SECRETS", "secret_arn": "arn:aws:secretsmanager:eu-west-1:123456789012:secret:app"}],
)
