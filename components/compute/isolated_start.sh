# For a server whose Terraform runs in workers: in front of server_start.sh.
#
# Git, workflows and hooks inherit this environment, and none of them needs the task role or the ECS agent. Processes that were
# started before `exec` keep the addresses, so they are removed first.
unset AWS_CONTAINER_CREDENTIALS_RELATIVE_URI AWS_CONTAINER_CREDENTIALS_FULL_URI AWS_CONTAINER_AUTHORIZATION_TOKEN \
  ECS_CONTAINER_METADATA_URI ECS_CONTAINER_METADATA_URI_V4 ECS_AGENT_URI

if ! [ -x /opt/atlantis-isolation/shims/terraform ]; then
  echo "This image has no /opt/atlantis-isolation, which terraformIsolation needs: build the image of docker/ and set imageTag" >&2
  exit 1
fi

# Programs that a plan could write before Terraform was isolated; the server would run them.
rm -rf "$ATLANTIS_DATA_DIR/bin" "$ATLANTIS_DATA_DIR/plugin-cache"

# The shims forward what a workflow or Atlantis adds to these names.
ISOLATION_SERVER_NAMES=$(env | sed -n 's/^\([A-Za-z_][A-Za-z0-9_]*\)=.*/\1/p' | tr '\n' ' ')
PATH=/opt/atlantis-isolation/shims:/opt/atlantis-isolation/bin:$PATH
export ISOLATION_SERVER_NAMES PATH

