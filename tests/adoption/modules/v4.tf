# The public Atlantis module 4.4.1 as its example for GitHub uses it, with a GitHub App, its own certificate and records, and EFS.

module "atlantis" {
  source = "./atlantis"
  name   = "atlantis"

  atlantis = {
    image = "ghcr.io/runatlantis/atlantis:v0.47.1"
    environment = [
      { name = "ATLANTIS_REPO_ALLOWLIST", value = "github.com/example/*" },
      { name = "ATLANTIS_WRITE_GIT_CREDS", value = "true" },
    ]
    secrets = [
      { name = "ATLANTIS_GH_APP_ID", valueFrom = "${aws_secretsmanager_secret.app.arn}:app_id::" },
      { name = "ATLANTIS_GH_APP_INSTALLATION_ID", valueFrom = "${aws_secretsmanager_secret.app.arn}:installation_id::" },
      { name = "ATLANTIS_GH_APP_KEY", valueFrom = "${aws_secretsmanager_secret.app.arn}:private_key::" },
      { name = "ATLANTIS_GH_WEBHOOK_SECRET", valueFrom = "${aws_secretsmanager_secret.webhook.arn}:webhook_secret::" },
    ]
  }
  service = {
    task_exec_secret_arns   = [aws_secretsmanager_secret.app.arn, aws_secretsmanager_secret.webhook.arn]
    tasks_iam_role_policies = { AdministratorAccess = "arn:aws:iam::aws:policy/AdministratorAccess" }
  }

  alb_subnets     = [for subnet in aws_subnet.public : subnet.id]
  service_subnets = [for subnet in aws_subnet.private : subnet.id]
  vpc_id          = aws_vpc.this.id

  certificate_domain_name = "atlantis.example.com"
  route53_zone_id         = aws_route53_zone.this.zone_id

  enable_efs = true
  efs        = { mount_targets = { for zone, subnet in aws_subnet.private : zone => { subnet_id = subnet.id } } }
}
