"""The verbs of the command line: one module with ``run(arguments)``, and ``add_arguments(parser)`` where it takes any."""
