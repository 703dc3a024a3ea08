"""The embedded run: the real Pulumi engine deploys the real program into a local AWS.

Nothing in ``components/`` knows of this package; see ``sandbox/README.md``.
"""
