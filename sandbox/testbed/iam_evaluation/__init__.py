"""Evaluates whether IAM allows an API call: AWS' service authorization reference and iam-simulate.

``evaluator.py`` calls the third-party evaluator for one action on one resource. ``authorizations.py`` derives from an
API call what IAM must authorize: the actions, their resources, and the values of their condition keys. The local AWS
enforces the decisions; tests evaluate them without an AWS.
"""
