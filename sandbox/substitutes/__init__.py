"""Substitutes for the existing resources that a stack's settings name: a network, a listener, secrets, a permissions boundary."""
