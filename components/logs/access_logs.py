"""AccessLogs: the bucket for the load balancer's access logs."""

import pulumi

from ..context import Context
from ..outputs import declared_outputs
from .private_bucket import private_bucket

KEPT_DAYS = 90


class AccessLogs(pulumi.ComponentResource):
    """A private bucket that only this account's load balancers can write to."""

    bucket: pulumi.Output[str]
    policy: pulumi.Resource
    """The bucket policy, which must exist before a load balancer can write."""

    def __init__(self, name: str, context: Context, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("atlantis:index:AccessLogs", name, None, opts)
        names = context.names
        arn = names.bucket_arn(names.access_log_bucket)
        delivery = {
            "Sid": "DeliverAccessLogs",
            "Effect": "Allow",
            "Principal": {"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
            "Action": ["s3:PutObject"],
            "Resource": [f"{arn}/AWSLogs/{names.account}/*"],
            # IfExists: some deliveries, such as the test file at creation, have no source. AWS' documented policy has no condition.
            "Condition": {
                "StringEqualsIfExists": {"aws:SourceAccount": names.account},
                "ArnLikeIfExists": {"aws:SourceArn": names.arn("elasticloadbalancing", "loadbalancer/*")},
            },
        }
        created = private_bucket(
            name,
            context,
            physical_name=names.access_log_bucket,
            kept_days=KEPT_DAYS,
            # Load balancers can't write to a bucket that is encrypted with a customer managed key.
            key_arn=None,
            statements=[delivery],
            parent=self,
        )
        self.policy, *_ = created.ready
        self.bucket = created.bucket.bucket
        self.register_outputs(declared_outputs(self))
