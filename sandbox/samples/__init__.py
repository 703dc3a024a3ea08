"""Sample repositories, as teams would manage them with Atlantis."""
