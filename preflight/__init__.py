"""Read-only checks of what a deployment needs and does not make itself, before it is started: `make preflight STACK=prod`."""
