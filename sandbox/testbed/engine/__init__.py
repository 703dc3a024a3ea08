"""The Pulumi engine, its language host and its plugins."""
