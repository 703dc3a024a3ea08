"""The objects that refused calls name: made once, by service, in a local AWS."""

import json
from string import Template
from typing import Any

from sandbox.testbed.local_aws import ACCOUNT, REGION, LocalAws

__all__ = ["filled", "made"]

POLICY = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}


def filled(value: Any, shape: Any, names: dict[str, Any]) -> Any:
    """``value`` of a parameter with the objects' IDs instead of their ``$names``, and with documents as JSON."""
    kind = shape.type_name
    if isinstance(value, str):
        return names[value[1:]] if value[1:] in names else Template(value).substitute(names) if "$" in value else value
    if kind == "string" and isinstance(value, dict):
        return Template(json.dumps(value)).substitute(names)
    if kind == "structure":
        return {name: filled(item, shape.members[name], names) for name, item in value.items()}
    if kind == "map":
        return {name: filled(item, shape.value, names) for name, item in value.items()}
    return [filled(item, shape.member, names) for item in value] if kind == "list" else value


def made(aws: LocalAws) -> dict[str, Any]:
    """Make the objects; their IDs by name, and long texts and a long list by theirs."""
    names: dict[str, Any] = {"region": REGION, "account": ACCOUNT}
    names |= {f"x{length}": "x" * length for length in (300, 2100, 6200, 10300, 65537)}
    names["tags"] = [{"Key": f"key-{number}", "Value": "-"} for number in range(51)]
    for make in (_network, _identities, _keys, _containers, _balancers, _storage, _messages, _others):
        make(aws, names)
    return names


def _network(aws: LocalAws, names: dict[str, Any]) -> None:
    ec2 = aws.client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    other = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    names |= {"vpc": vpc, "other_vpc": other}
    places = (("a", vpc, "10.0.0.0/24", "a"), ("b", vpc, "10.0.1.0/24", "b"), ("a2", vpc, "10.0.2.0/24", "a"))
    places += (("far", other, "10.9.0.0/24", "b"), ("far_a", other, "10.9.1.0/24", "a"))
    for name, network, block, zone in places:
        subnet = ec2.create_subnet(VpcId=network, CidrBlock=block, AvailabilityZone=f"{REGION}{zone}")["Subnet"]
        names[f"subnet_{name}"] = subnet["SubnetId"]
    names["gateway"] = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    names["free_gateway"] = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(VpcId=vpc, InternetGatewayId=names["gateway"])
    for name, network in (("group", vpc), ("peer", vpc), ("full_group", vpc), ("far_group", other)):
        names[name] = ec2.create_security_group(GroupName=name, Description=name, VpcId=network)["GroupId"]
    referring = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "UserIdGroupPairs": [{"GroupId": names["peer"]}]}
    ec2.authorize_security_group_ingress(GroupId=names["group"], IpPermissions=[referring])
    many = [
        {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "IpRanges": [{"CidrIp": "10.0.0.0/8"}]}
        for port in range(1, 61)
    ]
    ec2.authorize_security_group_ingress(GroupId=names["full_group"], IpPermissions=many)
    groups = ec2.describe_security_groups(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["SecurityGroups"]
    names["default_group"] = next(group["GroupId"] for group in groups if group["GroupName"] == "default")
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=names["gateway"])
    names["association"] = ec2.associate_route_table(RouteTableId=table, SubnetId=names["subnet_a"])["AssociationId"]
    tables = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"]
    names |= {
        "table": table,
        "main_table": next(item["RouteTableId"] for item in tables if item["RouteTableId"] != table),
    }
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    names["nat"] = ec2.create_nat_gateway(SubnetId=names["subnet_b"], AllocationId=address)["NatGateway"][
        "NatGatewayId"
    ]
    interface = ec2.create_network_interface(SubnetId=names["subnet_a2"], Groups=[names["group"]])
    names |= {"address": address, "interface": interface["NetworkInterface"]["NetworkInterfaceId"]}
    endpoint = ec2.create_vpc_endpoint(VpcId=vpc, ServiceName=f"com.amazonaws.{REGION}.s3", RouteTableIds=[table])
    names["endpoint"] = endpoint["VpcEndpoint"]["VpcEndpointId"]
    names["acl"] = ec2.create_network_acl(VpcId=vpc)["NetworkAcl"]["NetworkAclId"]
    ec2.create_network_acl_entry(
        NetworkAclId=names["acl"],
        RuleNumber=100,
        Protocol="-1",
        RuleAction="allow",
        Egress=False,
        CidrBlock="0.0.0.0/0",
    )
    ec2.create_key_pair(KeyName="pair")
    ec2.create_launch_template(LaunchTemplateName="template", LaunchTemplateData={"InstanceType": "t3.micro"})


def _identities(aws: LocalAws, names: dict[str, Any]) -> None:
    iam, trust, policy = aws.client("iam"), json.dumps(TRUST), json.dumps(POLICY)
    for role in ("role", "full-role", "free-role", "inline-role", "profile-role"):
        names[role.replace("-", "_")] = iam.create_role(RoleName=role, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
    for number in range(10):
        attached = iam.create_policy(PolicyName=f"policy-{number}", PolicyDocument=policy)["Policy"]["Arn"]
        iam.attach_role_policy(RoleName="full-role", PolicyArn=attached)
        names["attached"] = attached
    names["policy"] = iam.create_policy(PolicyName="policy", PolicyDocument=policy)["Policy"]["Arn"]
    names["boundary"] = iam.create_policy(PolicyName="boundary", PolicyDocument=policy)["Policy"]["Arn"]
    for _ in range(4):
        iam.create_policy_version(PolicyArn=names["policy"], PolicyDocument=policy)
    iam.create_role(RoleName="bounded", AssumeRolePolicyDocument=trust, PermissionsBoundary=names["boundary"])
    iam.put_role_policy(RoleName="inline-role", PolicyName="inline", PolicyDocument=policy)
    iam.create_instance_profile(InstanceProfileName="profile")
    iam.add_role_to_instance_profile(InstanceProfileName="profile", RoleName="profile-role")
    iam.create_user(UserName="user")
    iam.create_group(GroupName="group")
    iam.add_user_to_group(UserName="user", GroupName="group")
    iam.create_access_key(UserName="user")
    iam.create_access_key(UserName="user")
    provider = iam.create_open_id_connect_provider(Url="https://token.example.com", ClientIDList=["a"])
    names["provider"] = provider["OpenIDConnectProviderArn"]
    names["linked_role"] = iam.create_service_linked_role(AWSServiceName="ecs.amazonaws.com")["Role"]["RoleName"]


def _keys(aws: LocalAws, names: dict[str, Any]) -> None:
    kms, secrets = aws.client("kms"), aws.client("secretsmanager")
    for name in ("key", "disabled_key", "pending_key"):
        names[name] = kms.create_key()["KeyMetadata"]["KeyId"]
    names["signing_key"] = kms.create_key(KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/taken", TargetKeyId=names["key"])
    kms.disable_key(KeyId=names["disabled_key"])
    kms.schedule_key_deletion(KeyId=names["pending_key"], PendingWindowInDays=7)
    names["key_arn"] = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/{names['key']}"
    for name in ("secret", "deleted-secret"):
        names[name.replace("-", "_")] = secrets.create_secret(Name=name, SecretString="value")["ARN"]
    secrets.delete_secret(SecretId="deleted-secret", RecoveryWindowInDays=7)


def _containers(aws: LocalAws, names: dict[str, Any]) -> None:
    ecs, ecr, logs = aws.client("ecs"), aws.client("ecr"), aws.client("logs")
    names["cluster"] = ecs.create_cluster(clusterName="cluster")["cluster"]["clusterArn"]
    ecs.create_cluster(clusterName="empty")
    names["role_arn"] = names["role"]
    definition = ecs.register_task_definition(
        family="family",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        cpu="256",
        memory="512",
        executionRoleArn=names["role"],
        containerDefinitions=[{"name": "app", "image": "image", "portMappings": [{"containerPort": 8080}]}],
    )
    names["definition"] = definition["taskDefinition"]["taskDefinitionArn"]
    network = {"awsvpcConfiguration": {"subnets": [names["subnet_a"]], "securityGroups": [names["group"]]}}
    ecs.create_service(
        cluster="cluster",
        serviceName="service",
        taskDefinition="family",
        launchType="FARGATE",
        desiredCount=1,
        networkConfiguration=network,
    )
    ecr.create_repository(repositoryName="repository")
    ecr.create_repository(repositoryName="images", imageTagMutability="IMMUTABLE")
    ecr.put_image(repositoryName="images", imageManifest=json.dumps({"schemaVersion": 2}), imageTag="v1")
    logs.create_log_group(logGroupName="group")
    logs.create_log_stream(logGroupName="group", logStreamName="stream")


def _balancers(aws: LocalAws, names: dict[str, Any]) -> None:
    elbv2, acm = aws.client("elbv2"), aws.client("acm")
    names["certificate"] = acm.request_certificate(DomainName="atlantis.example.com")["CertificateArn"]
    subnets = [names["subnet_a"], names["subnet_b"]]
    for name in ("balancer", "second"):
        balancer = elbv2.create_load_balancer(Name=name, Subnets=subnets, SecurityGroups=[names["group"]])
        names[name] = balancer["LoadBalancers"][0]["LoadBalancerArn"]
    protection = {"Key": "deletion_protection.enabled", "Value": "true"}
    elbv2.modify_load_balancer_attributes(LoadBalancerArn=names["balancer"], Attributes=[protection])
    for name, network in (("targets", "vpc"), ("free_targets", "vpc"), ("far_targets", "other_vpc")):
        group = elbv2.create_target_group(
            Name=name.replace("_", "-"), Protocol="HTTP", Port=80, VpcId=names[network], TargetType="ip"
        )
        names[name] = group["TargetGroups"][0]["TargetGroupArn"]
    forward = {"Type": "forward", "TargetGroupArn": names["targets"]}
    listener = elbv2.create_listener(
        LoadBalancerArn=names["balancer"], Protocol="HTTP", Port=80, DefaultActions=[forward]
    )["Listeners"][0]["ListenerArn"]
    path = {"Field": "path-pattern", "Values": ["/events"]}
    fixed = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "403"}}
    second = elbv2.create_listener(LoadBalancerArn=names["second"], Protocol="HTTP", Port=90, DefaultActions=[fixed])
    names["second_listener"] = second["Listeners"][0]["ListenerArn"]
    other = elbv2.create_rule(ListenerArn=names["second_listener"], Priority=1, Conditions=[path], Actions=[fixed])
    names["second_rule"] = other["Rules"][0]["RuleArn"]
    rule = elbv2.create_rule(ListenerArn=listener, Priority=1, Conditions=[path], Actions=[forward])["Rules"][0]
    rules = elbv2.describe_rules(ListenerArn=listener)["Rules"]
    names |= {"listener": listener, "rule": rule["RuleArn"]}
    names["default_rule"] = next(item["RuleArn"] for item in rules if item["IsDefault"])
    secure = elbv2.create_listener(
        LoadBalancerArn=names["balancer"],
        Protocol="HTTPS",
        Port=443,
        DefaultActions=[forward],
        Certificates=[{"CertificateArn": names["certificate"]}],
    )
    names["secure_listener"] = secure["Listeners"][0]["ListenerArn"]


def _storage(aws: LocalAws, names: dict[str, Any]) -> None:
    s3, efs, dynamodb = aws.client("s3"), aws.client("efs"), aws.client("dynamodb")
    for bucket in ("full-bucket", "plain-bucket", "locked-bucket", "public-bucket"):
        s3.create_bucket(
            Bucket=bucket,
            CreateBucketConfiguration={"LocationConstraint": REGION},
            **({"ObjectLockEnabledForBucket": True} if bucket == "locked-bucket" else {}),
        )
    s3.put_object(Bucket="full-bucket", Key="key", Body=b"-")
    s3.put_public_access_block(
        Bucket="public-bucket",
        PublicAccessBlockConfiguration=dict.fromkeys(
            ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
        ),
    )
    ownership = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    s3.put_bucket_ownership_controls(Bucket="plain-bucket", OwnershipControls=ownership)
    for name in ("files", "empty_files"):
        names[name] = efs.create_file_system(CreationToken=name, Encrypted=True)["FileSystemId"]
    target = efs.create_mount_target(
        FileSystemId=names["files"], SubnetId=names["subnet_a"], SecurityGroups=[names["group"]]
    )
    names["mount_target"] = target["MountTargetId"]
    names["access_point"] = efs.create_access_point(ClientToken="a", FileSystemId=names["files"])["AccessPointId"]
    for table, protected in (("table", False), ("protected", True)):
        dynamodb.create_table(
            TableName=table,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            DeletionProtectionEnabled=protected,
        )


def _messages(aws: LocalAws, names: dict[str, Any]) -> None:
    sns, sqs = aws.client("sns"), aws.client("sqs")
    names["topic"] = sns.create_topic(Name="topic", Attributes={"DisplayName": "a"})["TopicArn"]
    names["queue"] = sqs.create_queue(QueueName="queue", Attributes={"DelaySeconds": "5"})["QueueUrl"]
    names["queue_arn"] = f"arn:aws:sqs:{REGION}:{ACCOUNT}:queue"
    names["ordered_queue"] = sqs.create_queue(QueueName="queue.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]


def _others(aws: LocalAws, names: dict[str, Any]) -> None:
    route53, cloudwatch, waf, backup = (aws.client(name) for name in ("route53", "cloudwatch", "wafv2", "backup"))
    zone = route53.create_hosted_zone(Name="example.com", CallerReference="1")["HostedZone"]["Id"]
    names["zone"] = zone.rpartition("/")[2]
    address = {"Name": "www.example.com", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}
    change = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": address}]}
    route53.change_resource_record_sets(HostedZoneId=names["zone"], ChangeBatch=change)
    private = route53.create_hosted_zone(
        Name="internal.example.com", CallerReference="2", VPC={"VPCRegion": REGION, "VPCId": names["vpc"]}
    )
    names["private_zone"] = private["HostedZone"]["Id"].rpartition("/")[2]
    cloudwatch.put_metric_alarm(
        AlarmName="alarm",
        MetricName="m",
        Namespace="n",
        Period=60,
        EvaluationPeriods=1,
        Threshold=1,
        Statistic="Sum",
        ComparisonOperator="GreaterThanThreshold",
    )
    cloudwatch.put_composite_alarm(AlarmName="composite", AlarmRule="ALARM(alarm)")
    visibility = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": "m"}
    acl = waf.create_web_acl(Name="acl", Scope="REGIONAL", DefaultAction={"Allow": {}}, VisibilityConfig=visibility)
    names |= {"acl_id": acl["Summary"]["Id"], "acl_lock": acl["Summary"]["LockToken"], "acl_arn": acl["Summary"]["ARN"]}
    waf.associate_web_acl(WebACLArn=names["acl_arn"], ResourceArn=names["balancer"])
    addresses = waf.create_ip_set(Name="set", Scope="REGIONAL", IPAddressVersion="IPV4", Addresses=["192.0.2.0/24"])
    names |= {
        "set_id": addresses["Summary"]["Id"],
        "set_arn": addresses["Summary"]["ARN"],
        "set_lock": addresses["Summary"]["LockToken"],
    }
    backup.create_backup_vault(BackupVaultName="vault")
    rule = {"RuleName": "daily", "TargetBackupVaultName": "vault", "ScheduleExpression": "cron(0 5 * * ? *)"}
    plan = backup.create_backup_plan(BackupPlan={"BackupPlanName": "plan", "Rules": [rule]})
    names["plan"] = plan["BackupPlanId"]
    selection = {"SelectionName": "all", "IamRoleArn": names["role"], "Resources": ["*"]}
    backup.create_backup_selection(BackupPlanId=names["plan"], BackupSelection=selection)
    elasticache = aws.client("elasticache")
    elasticache.create_cache_subnet_group(
        CacheSubnetGroupName="subnets",
        CacheSubnetGroupDescription="-",
        SubnetIds=[names["subnet_a"], names["subnet_b"]],
    )
    elasticache.create_cache_parameter_group(
        CacheParameterGroupName="parameters", CacheParameterGroupFamily="redis7", Description="-"
    )
    elasticache.create_replication_group(
        ReplicationGroupId="redis",
        ReplicationGroupDescription="-",
        CacheNodeType="cache.t4g.micro",
        Engine="redis",
        CacheSubnetGroupName="subnets",
        CacheParameterGroupName="parameters",
    )
    firehose = aws.client("firehose")
    firehose.create_delivery_stream(
        DeliveryStreamName="stream",
        ExtendedS3DestinationConfiguration={"RoleARN": names["role"], "BucketARN": "arn:aws:s3:::full-bucket"},
    )
