"""The task's roles: Allow statements, the Deny statements for Atlantis' own resources, and the permissions boundary."""
