# Starts Atlantis so that no plan can read the secrets it is started with, nor the rules for repositories. Arguments: the variables
# that hold them.
#
# ECS can inject secrets only as environment variables, and Atlantis passes its environment to every Terraform process.
# So they go to the server through a named pipe as its configuration, and leave the environment before `exec`
# replaces this shell, which is the container's process 1. The pipe is removed as soon as the server has read it.
#
# The server must be process 1 itself. The kernel then ignores SIGSTOP and SIGKILL from the container's own processes, so a plan
# can't stop it. When it exits, the container ends with every process that a plan has left, such as one that has taken its port.
set -eu

for name in "$@"; do
  eval ": \"\${$name:?ECS has not set this variable}\""
done

directory=$(mktemp -d)
configuration=$directory/server.yaml
mkfifo -m 600 "$configuration"

# The kernel lets no other process of the same user read the environment or the memory of a program whose file that user
# may not read. The stock image's file is readable by everyone, hence a copy that its owner can only execute.
server=$(command -v atlantis)
if [ -r "$server" ]; then
  cp "$server" "$directory/atlantis"
  chmod 0111 "$directory/atlantis"
  server=$directory/atlantis
fi

(
  {
    for name in "$@"; do
      printf '%s: |2-\n' "$(printf '%s' "${name#ATLANTIS_}" | tr 'A-Z_' 'a-z-')"
      eval "printf '%s\n' \"\$$name\"" | sed 's/^/  /'
    done
    # What Atlantis reads from its configuration only.
    printf '%s\n' "${SERVER_NOTIFICATIONS-}"
  } >"$configuration"
  rm -r "$directory"
) &

for name in "$@" SERVER_NOTIFICATIONS; do
  unset "$name"
done
# The image's entry point prepares the container: an entry in /etc/passwd for another user, and an image's own scripts. It would
# start the server behind dumb-init, so it gets a command that does nothing.
docker-entrypoint.sh true
exec "$server" server --config "$configuration"
