"""The secrets that the task reads: generated ones, the GitHub App's, and existing ones."""
