"""The parts of the stack, one noun a module. None of them reads configuration or exports anything: `__main__.py` wires them."""
