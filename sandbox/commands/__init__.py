"""The verbs of the command line: functions that accept the parsed arguments, and optional ``add_arguments(parser)``."""
