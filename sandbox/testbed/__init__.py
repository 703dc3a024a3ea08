"""A bench for Pulumi programs and Fargate tasks without AWS or Docker; see ``sandbox/testbed/README.md``.

It knows nothing of this project's program: it imports neither the rest of ``sandbox`` nor any other folder.
"""
