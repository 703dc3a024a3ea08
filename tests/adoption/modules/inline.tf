# The attachment of a policy to roles, in addition to inline_override.tf.

resource "aws_iam_policy_attachment" "execution" {
  name       = "execution"
  roles      = [aws_iam_role.execution.name]
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
}
