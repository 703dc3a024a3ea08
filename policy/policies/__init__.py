"""The policies of the pack, one module each, and their parts. Importing this package starts nothing."""
