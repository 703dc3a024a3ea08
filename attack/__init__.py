"""The attacks that a hostile pull request, a stranger or a plan's own credentials can try on the deployed stack."""
