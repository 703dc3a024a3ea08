"""Checks that the program and the sandbox's stand-ins agree with the official AWS provider."""
