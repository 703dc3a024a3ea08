"""Attacks on the deployed stack: by malicious pull requests, by strangers, and with a plan's own credentials."""
