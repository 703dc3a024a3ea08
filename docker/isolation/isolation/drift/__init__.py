"""Drift detection: plans the repositories' default branches on a schedule and reports what differs from the state."""
