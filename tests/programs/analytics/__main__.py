"""Queries of Athena and Glue over a bucket, and a warehouse of today's family."""

import json

import pulumi_aws as aws


def tls_only(bucket: str) -> str:
    """A policy that denies requests without TLS."""
    resources = [f"arn:aws:s3:::{bucket}", f"arn:aws:s3:::{bucket}/*"]
    condition = {"Bool": {"aws:SecureTransport": "false"}}
    statement = {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": resources, "Condition": condition}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


bucket = aws.s3.Bucket("lake", bucket="acme-lake")
aws.s3.BucketPolicy("lake", bucket=bucket.bucket, policy=tls_only("acme-lake"))
aws.glue.CatalogDatabase("lake", name="lake")
aws.athena.Workgroup("analysts", configuration={"result_configuration": {"output_location": "s3://acme-lake/results/"}})
parameters = aws.redshift.ParameterGroup(
    "warehouse", family="redshift-2.0", parameters=[{"name": "auto_analyze", "value": "true"}]
)
aws.redshift.Cluster(
    "warehouse",
    cluster_identifier="warehouse",
    node_type="ra3.large",
    cluster_parameter_group_name=parameters.name,
    manage_master_password=True,
    master_username="admin",
)
