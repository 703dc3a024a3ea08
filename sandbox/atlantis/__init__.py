"""The task that the deployed ECS service asks for, run on this machine as Fargate would, without containers."""
