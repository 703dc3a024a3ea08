call() {
  curl -sS -o /dev/null -w "$1 %{http_code}\n" --aws-sigv4 "aws:amz:$AWS_REGION:@service@" \
    --user "$(field AccessKeyId):$(field SecretAccessKey)" -H "x-amz-security-token: ${token:-$(field Token)}" "${@:2}"
}
@calls@
