"""What the edges of all switches have in common: rules for values, and what follows from keys and causes."""
