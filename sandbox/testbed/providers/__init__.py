"""Stand-ins for the official provider plugins aws, awsx and random.

They are used only if the official plugins cannot be installed. They connect only to a local AWS on loopback.
"""
