"""Read-only checks of a deployment's prerequisites, which it doesn't create itself: `make preflight STACK=prod`."""
