# The public Atlantis module 3.28.0 with a GitHub App: its key and the webhook's secret are SSM parameters.

module "atlantis" {
  source = "./atlantis"
  name   = "atlantis"

  vpc_id             = aws_vpc.this.id
  private_subnets    = keys(aws_subnet.private)
  private_subnet_ids = [for subnet in aws_subnet.private : subnet.id]
  public_subnet_ids  = [for subnet in aws_subnet.public : subnet.id]

  # Not known before the zone exists, so that the module looks the zone up afterwards.
  route53_zone_name           = element(split(" ", "example.com ${aws_route53_zone.this.zone_id}"), 0)
  acm_certificate_domain_name = "atlantis.example.com"

  atlantis_image                 = "ghcr.io/runatlantis/atlantis:v0.47.1"
  atlantis_github_app_id         = "1"
  atlantis_github_app_key        = "a private key"
  atlantis_github_webhook_secret = "a secret"
  atlantis_repo_allowlist        = ["github.com/example/*"]
  allow_unauthenticated_access   = true
  alb_ingress_cidr_blocks        = ["203.0.113.0/25", "203.0.113.128/25"]
  alb_ingress_ipv6_cidr_blocks   = []
  efs_file_system_encrypted      = true
  user                           = "100:1000"
}
