"""Whether IAM allows a call: resources and condition keys from AWS' service authorization reference, decided by iam-simulate.

``evaluator.py`` asks the evaluator, which is not ours, about one action on one resource. ``authorizations.py`` derives from an API
call what AWS asks of IAM: each action, each resource, the values of its condition keys. The local AWS enforces the answers, and
tests ask for them without any AWS.
"""
