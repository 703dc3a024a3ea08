"""Runs the deployed ECS service's task on this machine as Fargate would, with processes instead of containers."""
