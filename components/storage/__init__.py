"""The file system, the image repository, and the optional locking database."""
