"""The sandbox: the real Pulumi engine deploys the real program into a local AWS.

Nothing in ``components/`` imports this package; see ``sandbox/README.md``.
"""
