"""Whether the program, and the stand-ins that test it, agree with the official AWS provider; see ``__main__.py``."""
