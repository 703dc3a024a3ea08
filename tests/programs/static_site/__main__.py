"""A static site: a private bucket behind CloudFront, redirected to HTTPS, with a certificate and a DNS record."""

import pulumi
import pulumi_aws as aws

DOMAIN = "docs.example.com"

site = aws.s3.Bucket("site", bucket="example-docs-site")
aws.s3.BucketPublicAccessBlock(
    "site",
    bucket=site.id,
    block_public_acls=True,
    block_public_policy=True,
    ignore_public_acls=True,
    restrict_public_buckets=True,
)
certificate = aws.acm.Certificate("site", domain_name=DOMAIN, validation_method="DNS")
control = aws.cloudfront.OriginAccessControl(
    "site", origin_access_control_origin_type="s3", signing_behavior="always", signing_protocol="sigv4"
)
distribution = aws.cloudfront.Distribution(
    "site",
    enabled=True,
    aliases=[DOMAIN],
    default_root_object="index.html",
    origins=[
        {
            "origin_id": "site",
            "domain_name": site.bucket_regional_domain_name,
            "origin_access_control_id": control.id,
        }
    ],
    default_cache_behavior={
        "target_origin_id": "site",
        "viewer_protocol_policy": "redirect-to-https",
        "allowed_methods": ["GET", "HEAD"],
        "cached_methods": ["GET", "HEAD"],
    },
    restrictions={"geo_restriction": {"restriction_type": "none"}},
    viewer_certificate={
        "acm_certificate_arn": certificate.arn,
        "minimum_protocol_version": "TLSv1.2_2021",
        "ssl_support_method": "sni-only",
    },
)
aws.s3.BucketPolicy(
    "site",
    bucket=site.id,
    policy=pulumi.Output.json_dumps(
        {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Principal": {"Service": "cloudfront.amazonaws.com"},
                    "Action": "s3:GetObject",
                    "Resource": pulumi.Output.concat(site.arn, "/*"),
                    "Condition": {"StringEquals": {"AWS:SourceArn": distribution.arn}},
                },
                {
                    "Effect": "Deny",
                    "Principal": {"AWS": "*"},
                    "Action": "*",
                    "Resource": [site.arn, pulumi.Output.concat(site.arn, "/*")],
                    "Condition": {"Bool": {"aws:SecureTransport": False}},
                },
            ],
        }
    ),
)
zone = aws.route53.Zone("docs", name="example.com")
aws.route53.Record(
    "site",
    zone_id=zone.zone_id,
    name=DOMAIN,
    type="A",
    aliases=[
        {
            "name": distribution.domain_name,
            "zone_id": distribution.hosted_zone_id,
            "evaluate_target_health": False,
        }
    ],
)
pulumi.export("url", f"https://{DOMAIN}")
