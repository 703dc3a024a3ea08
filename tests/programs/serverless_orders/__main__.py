"""Orders without servers: an HTTP API, functions, a table that scales, queues and topics, a nightly schedule."""

import json

import pulumi
import pulumi_aws as aws

ACCOUNT = "123456789012"
provider = aws.Provider("orders", region="eu-west-1", default_tags={"tags": {"Environment": "dev", "Owner": "orders"}})
options = pulumi.ResourceOptions(provider=provider)

key = aws.kms.Key("orders", enable_key_rotation=True, opts=options)
table = aws.dynamodb.Table(
    "orders",
    name="orders",
    hash_key="id",
    attributes=[{"name": "id", "type": "S"}],
    billing_mode="PROVISIONED",
    read_capacity=5,
    write_capacity=5,
    point_in_time_recovery={"enabled": True},
    deletion_protection_enabled=True,
    opts=options,
)
aws.appautoscaling.Target(
    "reads",
    service_namespace="dynamodb",
    resource_id="table/orders",
    scalable_dimension="dynamodb:table:ReadCapacityUnits",
    min_capacity=5,
    max_capacity=100,
    opts=options,
)
failed = aws.sqs.Queue("failed", sqs_managed_sse_enabled=True, opts=options)
queue = aws.sqs.Queue(
    "orders",
    sqs_managed_sse_enabled=True,
    redrive_policy=failed.arn.apply(lambda arn: json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 5})),
    opts=options,
)
topic = aws.sns.Topic("shipped", kms_master_key_id=key.arn, opts=options)
aws.sns.TopicPolicy(
    "shipped",
    arn=topic.arn,
    policy=topic.arn.apply(
        lambda arn: json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [
                    {
                        "Effect": "Allow",
                        "Principal": {"AWS": "*"},
                        "Action": ["sns:Subscribe", "sns:Receive"],
                        "Resource": arn,
                        "Condition": {"StringEquals": {"AWS:SourceOwner": ACCOUNT}},
                    }
                ],
            }
        )
    ),
    opts=options,
)
role = aws.iam.Role(
    "handler",
    assume_role_policy=json.dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
            ],
        }
    ),
    opts=options,
)
aws.iam.RolePolicy(
    "handler",
    role=role.name,
    policy=pulumi.Output.json_dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {"Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:PutItem"], "Resource": table.arn},
                {"Effect": "Allow", "Action": ["sqs:SendMessage", "sqs:ReceiveMessage"], "Resource": queue.arn},
            ],
        }
    ),
    opts=options,
)
handler = aws.lambda_.Function(
    "handler",
    role=role.arn,
    runtime="python3.13",
    handler="orders.handle",
    code=pulumi.AssetArchive({"orders.py": pulumi.StringAsset("def handle(event, context): return event")}),
    environment={
        "variables": {"TABLE": table.name, "TOKENIZER": "simple", "DB_SECRET_ARN": "arn:aws:secretsmanager:x"}
    },
    opts=options,
)
api = aws.apigatewayv2.Api("orders", protocol_type="HTTP", opts=options)
aws.apigatewayv2.Integration(
    "orders", api_id=api.id, integration_type="AWS_PROXY", integration_uri=handler.invoke_arn, opts=options
)
logs = aws.cloudwatch.LogGroup("api", retention_in_days=30, opts=options)
aws.apigatewayv2.Stage(
    "orders",
    api_id=api.id,
    auto_deploy=True,
    access_log_settings={"destination_arn": logs.arn, "format": "$context.requestId $context.status"},
    opts=options,
)
aws.lambda_.Permission(
    "api",
    action="lambda:InvokeFunction",
    function=handler.name,
    principal="apigateway.amazonaws.com",
    source_arn=pulumi.Output.concat(api.execution_arn, "/*"),
    opts=options,
)
nightly = aws.cloudwatch.EventRule("nightly", schedule_expression="cron(0 2 * * ? *)", opts=options)
aws.cloudwatch.EventTarget("nightly", rule=nightly.name, arn=handler.arn, opts=options)
aws.lambda_.Permission(
    "nightly",
    action="lambda:InvokeFunction",
    function=handler.name,
    principal="events.amazonaws.com",
    source_arn=nightly.arn,
    opts=options,
)
