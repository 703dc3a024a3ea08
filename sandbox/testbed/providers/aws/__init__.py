"""The stand-in for pulumi-aws: a table of resource types and functions, with one module per service or subject."""
