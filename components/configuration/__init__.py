"""The server's configuration files: their format, their accepted keys, and what ECS passes to the server."""
