"""A small stand-in for GitHub on loopback, with TLS; it supports only the calls that the Atlantis server makes."""
