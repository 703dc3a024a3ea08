"""The deployed Atlantis on this machine: builds the server, starts its task as ECS would, and replaces its operator and clients."""
