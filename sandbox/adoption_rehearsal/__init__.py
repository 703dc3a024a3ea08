"""Adopts a copy of a Terraform stack in the sandbox, before the real one is adopted."""
