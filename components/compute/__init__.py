"""The ECS service: its containers, the start of the server, and the wait for a deployment."""
