# Atlantis on Fargate in the shape that modules of the public registry give it: names with random endings, a service on
# launch type FARGATE, rules of both forms, no separate repository, roles that AWS' managed policy is attached to.

terraform {
  required_providers {
    aws = {
      source = "hashicorp/aws"
    }
  }
}

provider "aws" {
  skip_metadata_api_check     = true
  skip_credentials_validation = true
}

locals {
  name = "atlantis"
  host = "atlantis.example.com"
  zones = {
    a = 1
    b = 2
  }
}

data "aws_region" "current" {}

resource "aws_vpc" "this" {
  cidr_block = "10.20.0.0/16"
}

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id
}

resource "aws_subnet" "public" {
  for_each          = local.zones
  vpc_id            = aws_vpc.this.id
  cidr_block        = "10.20.${each.value}.0/24"
  availability_zone = "${data.aws_region.current.name}${each.key}"
}

resource "aws_subnet" "private" {
  for_each          = local.zones
  vpc_id            = aws_vpc.this.id
  cidr_block        = "10.20.1${each.value}.0/24"
  availability_zone = "${data.aws_region.current.name}${each.key}"
}

resource "aws_security_group" "alb" {
  name_prefix = "${local.name}-alb-"
  description = "Security group for ${local.name} load balancer"
  vpc_id      = aws_vpc.this.id
  lifecycle { create_before_destroy = true }
}

resource "aws_vpc_security_group_ingress_rule" "alb" {
  for_each          = toset(["203.0.113.0/24", "198.51.100.32/28"])
  security_group_id = aws_security_group.alb.id
  description       = "HTTPS"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = each.value
}

resource "aws_vpc_security_group_egress_rule" "alb" {
  security_group_id = aws_security_group.alb.id
  ip_protocol       = "-1"
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_security_group" "service" {
  name_prefix = "${local.name}-"
  description = "Managed by Terraform"
  vpc_id      = aws_vpc.this.id
  lifecycle { create_before_destroy = true }
}

resource "aws_security_group_rule" "service" {
  type                     = "ingress"
  security_group_id        = aws_security_group.service.id
  description              = "Service port"
  protocol                 = "tcp"
  from_port                = 4141
  to_port                  = 4141
  source_security_group_id = aws_security_group.alb.id
}

resource "aws_security_group" "efs" {
  name_prefix = "${local.name}-efs-"
  description = "EFS security group"
  vpc_id      = aws_vpc.this.id
  lifecycle { create_before_destroy = true }
}

resource "aws_security_group_rule" "efs" {
  type                     = "ingress"
  security_group_id        = aws_security_group.efs.id
  description              = "NFS ingress from the service"
  protocol                 = "tcp"
  from_port                = 2049
  to_port                  = 2049
  source_security_group_id = aws_security_group.service.id
}

resource "aws_efs_file_system" "this" {
  creation_token = local.name
  encrypted      = true
  tags           = { Name = local.name }
}

resource "aws_efs_mount_target" "this" {
  for_each        = local.zones
  file_system_id  = aws_efs_file_system.this.id
  subnet_id       = aws_subnet.private[each.key].id
  security_groups = [aws_security_group.efs.id]
}

resource "aws_efs_access_point" "this" {
  file_system_id = aws_efs_file_system.this.id
  posix_user {
    uid = 100
    gid = 1000
  }
  root_directory {
    path = "/atlantis"
    creation_info {
      owner_uid   = 100
      owner_gid   = 1000
      permissions = "0755"
    }
  }
}

resource "aws_acm_certificate" "this" {
  domain_name       = local.host
  validation_method = "DNS"
}

resource "aws_lb" "this" {
  name                       = local.name
  load_balancer_type         = "application"
  security_groups            = [aws_security_group.alb.id]
  subnets                    = [for subnet in aws_subnet.public : subnet.id]
  drop_invalid_header_fields = true
  depends_on                 = [aws_internet_gateway.this]
}

resource "aws_lb_target_group" "this" {
  name_prefix          = "atl-"
  port                 = 4141
  protocol             = "HTTP"
  target_type          = "ip"
  vpc_id               = aws_vpc.this.id
  deregistration_delay = 10
  health_check {
    path              = "/healthz"
    healthy_threshold = 5
    matcher           = "200"
  }
  lifecycle { create_before_destroy = true }
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.this.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-Res-2021-06"
  certificate_arn   = aws_acm_certificate.this.arn
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this.arn
  }
}

resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.this.arn
  port              = 80
  protocol          = "HTTP"
  default_action {
    type = "redirect"
    redirect {
      port        = "443"
      protocol    = "HTTPS"
      status_code = "HTTP_301"
    }
  }
}

resource "aws_secretsmanager_secret" "app" {
  name_prefix = "${local.name}-app-"
}

resource "aws_secretsmanager_secret" "webhook" {
  name_prefix = "${local.name}-webhook-"
}

data "aws_iam_policy_document" "tasks" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "execution" {
  name_prefix        = "${local.name}-execution-"
  assume_role_policy = data.aws_iam_policy_document.tasks.json
}

resource "aws_iam_role_policy_attachment" "execution" {
  role       = aws_iam_role.execution.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
}

resource "aws_iam_role" "tasks" {
  name_prefix        = "${local.name}-tasks-"
  assume_role_policy = data.aws_iam_policy_document.tasks.json
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/ecs/${local.name}/${local.name}"
  retention_in_days = 30
}

resource "aws_ecs_cluster" "this" {
  name = local.name
}

resource "aws_ecs_cluster_capacity_providers" "this" {
  cluster_name       = aws_ecs_cluster.this.name
  capacity_providers = ["FARGATE"]
}

resource "aws_ecs_task_definition" "this" {
  family                   = local.name
  cpu                      = 2048
  memory                   = 4096
  network_mode             = "awsvpc"
  requires_compatibilities = ["FARGATE"]
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.tasks.arn
  volume {
    name = "efs"
    efs_volume_configuration {
      file_system_id     = aws_efs_file_system.this.id
      transit_encryption = "ENABLED"
      authorization_config {
        access_point_id = aws_efs_access_point.this.id
        iam             = "ENABLED"
      }
    }
  }
  container_definitions = jsonencode([{
    name         = local.name
    image        = "ghcr.io/runatlantis/atlantis:v0.47.1"
    essential    = true
    portMappings = [{ containerPort = 4141, hostPort = 4141, protocol = "tcp" }]
    mountPoints  = [{ sourceVolume = "efs", containerPath = "/home/atlantis/.atlantis", readOnly = false }]
    environment = [
      { name = "ATLANTIS_ATLANTIS_URL", value = "https://${local.host}" },
      { name = "ATLANTIS_REPO_ALLOWLIST", value = "github.com/example/*" },
    ]
    secrets = [
      { name = "ATLANTIS_GH_APP_ID", valueFrom = "${aws_secretsmanager_secret.app.arn}:app_id::" },
      { name = "ATLANTIS_GH_APP_INSTALLATION_ID", valueFrom = "${aws_secretsmanager_secret.app.arn}:installation_id::" },
      { name = "ATLANTIS_GH_APP_KEY", valueFrom = "${aws_secretsmanager_secret.app.arn}:private_key::" },
      { name = "ATLANTIS_GH_WEBHOOK_SECRET", valueFrom = "${aws_secretsmanager_secret.webhook.arn}:webhook_secret::" },
    ]
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-group         = aws_cloudwatch_log_group.this.name
        awslogs-region        = data.aws_region.current.name
        awslogs-stream-prefix = "ecs"
      }
    }
  }])
}

resource "aws_ecs_service" "this" {
  name                               = local.name
  cluster                            = aws_ecs_cluster.this.id
  task_definition                    = aws_ecs_task_definition.this.arn
  desired_count                      = 1
  launch_type                        = "FARGATE"
  deployment_minimum_healthy_percent = 0
  deployment_maximum_percent         = 100
  load_balancer {
    target_group_arn = aws_lb_target_group.this.arn
    container_name   = local.name
    container_port   = 4141
  }
  network_configuration {
    subnets         = [for subnet in aws_subnet.private : subnet.id]
    security_groups = [aws_security_group.service.id]
  }
  depends_on = [aws_lb_listener.https]
}
