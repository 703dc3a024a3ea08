"""Sample repositories: what teams would have Atlantis manage."""
