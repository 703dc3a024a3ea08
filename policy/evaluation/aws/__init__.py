"""What several policies read from AWS resources: IAM documents, security groups, networks, tasks and their locks."""
