"""Adopts a stack that Terraform deployed: pairs the resources of its state with those of this program for import."""
