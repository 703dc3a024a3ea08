#!/bin/sh
# Logs docker in to the registry of an image's repository: Amazon ECR with the assumed role, GitHub's with the workflow's token.
set -eu
registry=${1%%/*}
case $registry in
*.dkr.ecr.*.amazonaws.com)
  region=${registry#*.dkr.ecr.}
  aws ecr get-login-password --region "${region%.amazonaws.com}" | docker login --username AWS --password-stdin "$registry"
  ;;
ghcr.io) printf '%s' "$GITHUB_TOKEN" | docker login --username "$GITHUB_ACTOR" --password-stdin "$registry" ;;
*)
  echo "::error::IMAGE_REPOSITORY is $1; it must be in Amazon ECR or on ghcr.io. Add the login of another registry to $0."
  exit 1
  ;;
esac
