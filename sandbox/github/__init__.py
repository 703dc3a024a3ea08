"""A small stand-in of GitHub on loopback: the calls that the Atlantis server makes, over TLS, and nothing else."""
