status=http://localhost:PORT/status
protection=$ECS_AGENT_URI/task-protection/v1/state
trap 'exit 0' TERM INT

set_protection() {
  answer=$(curl -sS -m 10 -X PUT -H 'Content-Type: application/json' -d "$1" "$protection" 2>&1)
  case $(echo "$answer" | tr -d ' \n') in
    *'"ProtectionEnabled":'$2*) return 0 ;;
  esac
  [ "$answer" = "$refused" ] || echo "task protection can't be set to $2: $answer"
  refused=$answer
  return 1
}

# Whatever an earlier run of this container left is released by the first look that finds the server idle.
protected=unknown renew=0 refused=
while :; do
  operations=$(curl -fsS -m 5 "$status" 2>/dev/null | tr -d ' \n' | sed -n 's/.*"in_progress_operations":\([0-9]*\).*/\1/p')
  now=$(date +%s)
  if [ "${operations:-none}" = none ]; then
    : # A server that doesn't answer is neither busy nor idle: what is protected stays so until it expires.
  elif [ "$operations" -gt 0 ]; then
    if [ "$protected" != yes ] || [ "$now" -ge "$renew" ]; then
      if set_protection '{"ProtectionEnabled":true,"ExpiresInMinutes":EXPIRES_MINUTES}' true; then
        [ "$protected" = yes ] || echo "protected: operations in progress: $operations"
        protected=yes renew=$((now + RENEW_SECONDS))
      fi
    fi
  elif [ "$protected" != no ]; then
    if set_protection '{"ProtectionEnabled":false}' false; then
      [ "$protected" = yes ] && echo "released: no operation in progress"
      protected=no
    fi
  fi
  sleep LOOK_SECONDS &
  wait $!
done
