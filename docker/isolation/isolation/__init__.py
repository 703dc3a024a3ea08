"""Runs Terraform on workers: the programs of the image, with nothing but Python's standard library, a shell and stunnel."""
