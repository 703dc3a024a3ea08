"""Stand-ins for the official provider plugins aws, awsx and random.

They are used only where the official plugins cannot be installed, and talk only to a local AWS on loopback.
"""
