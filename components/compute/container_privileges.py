"""What every container of the task gives up."""

NO_CAPABILITIES = {"capabilities": {"drop": ["ALL"]}}
"""`linuxParameters` of a container definition. A user other than root has none of Docker's default capabilities in effect, but a
setuid program could gain them."""
