"""Where logs are kept: access logs, flow logs, and the archive of the task's log."""
