"""The stand-in for pulumi-aws: a table of resource types and functions, one module a service."""
