# Defines `field NAME`, which prints a field of a plan's AWS session, `$token`, and `$own`, the pull request's repository as owner/name.
if [ -n "$AWS_CONFIG_FILE" ]; then
  session=$(sh -c "$(sed -n 's/^credential_process *= *//p' "$AWS_CONFIG_FILE")")
else
  session=$(curl -sS "$AWS_CONTAINER_CREDENTIALS_FULL_URI")
fi
field() { echo "$session" | tr ',{}' '\n' | sed -n "s/^ *\"$1\": *\"\(.*\)\".*/\1/p"; }
token=$(field SessionToken)
own=$(echo "${PWD#*/repos/}" | cut -d/ -f1-2)
@calls@
