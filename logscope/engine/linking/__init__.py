"""Keys and transactions of a session: the plan, linking, pivots, lists, one transaction."""
