"""How policies are evaluated: configuration, exemptions, unknown values, the stack as a graph, and the report."""
