set -eu
public=/etc/ssl/certs/ca-certificates.crt
if ! [ -s "$public" ]; then
  echo "caCertificates: the image has no $public, to which the certificates are added" >&2
  exit 1
fi
{
  cat "$public"
  echo
  printf '%s' "$CA_CERTIFICATES"
} >/run/certificates/ca-certificates.crt
