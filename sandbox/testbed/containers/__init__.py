"""ECS and Fargate on one machine: reads task definitions, and runs their containers with the permissions of their roles."""
