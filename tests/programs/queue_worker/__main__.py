"""A worker that reads orders from an encrypted queue, with a dead-letter queue and a key."""

import json

import pulumi_aws as aws

key = aws.kms.Key("orders", enable_key_rotation=True)
alias = aws.kms.Alias("orders", name="alias/orders", target_key_id=key.id)
dead = aws.sqs.Queue("dead-orders", name="dead-orders", kms_master_key_id=alias.name)
orders = aws.sqs.Queue(
    "orders",
    name="orders",
    kms_master_key_id=alias.name,
    redrive_policy=dead.arn.apply(lambda arn: json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 5})),
)
aws.sns.TopicSubscription(
    "orders", topic=aws.sns.Topic("orders", name="orders").arn, protocol="sqs", endpoint=orders.arn
)
