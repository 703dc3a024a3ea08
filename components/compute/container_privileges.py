"""What the containers of the task give up."""

BESIDE_THE_SERVER = {
    # If it exits, the server continues and ECS restarts this container.
    "essential": False,
    "restartPolicy": {"enabled": True, "restartAttemptPeriod": 60},
    "privileged": False,
    "readonlyRootFilesystem": True,
}
"""Properties of the definition of a container that runs next to the server's for as long as the task does."""
NO_CAPABILITIES = {"capabilities": {"drop": ["ALL"]}}
"""`linuxParameters` of a container definition. A user other than root has none of Docker's default capabilities in effect, but a
setuid program could gain them."""
