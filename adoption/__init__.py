"""Adopts a stack that runs from Terraform: pairs its state with this program and writes what the program imports."""
