# The stack of ../fargate in the form of the provider's versions 3 and 4: rules in their group, several ranges in a rule, policies in
# their role.

resource "aws_security_group" "alb" {
  ingress {
    description = "HTTPS"
    protocol    = "tcp"
    from_port   = 443
    to_port     = 443
    cidr_blocks = ["203.0.113.0/25", "203.0.113.128/25"]
  }
  egress {
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_vpc_security_group_ingress_rule" "alb" {
  for_each = toset([])
}

resource "aws_vpc_security_group_egress_rule" "alb" {
  count = 0
}

resource "aws_security_group" "service" {
  ingress {
    protocol        = "tcp"
    from_port       = 4141
    to_port         = 4141
    security_groups = [aws_security_group.alb.id]
  }
  egress {
    protocol    = "-1"
    from_port   = 0
    to_port     = 0
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_security_group_rule" "service" {
  count = 0
}

resource "aws_iam_role" "tasks" {
  managed_policy_arns = ["arn:aws:iam::aws:policy/ReadOnlyAccess"]
  inline_policy {
    name = "state"
    policy = jsonencode({
      Version   = "2012-10-17"
      Statement = [{ Effect = "Allow", Action = ["s3:GetObject", "s3:PutObject"], Resource = "arn:aws:s3:::states/*" }]
    })
  }
}

resource "aws_iam_role_policy_attachment" "execution" {
  count = 0
}
