"""Runs Terraform in containers of its own: the programs of the image, with nothing but Python's standard library."""
