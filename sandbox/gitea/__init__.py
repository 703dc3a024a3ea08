"""A real Gitea as the host of the repositories of a deployed stack: ``make host HOST=gitea``."""
