"""The rules of the policy pack, by subject. Importing this package starts nothing; ``__main__.py`` builds the pack."""
