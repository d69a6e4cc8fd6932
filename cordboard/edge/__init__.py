"""What the edges of all switches have in common: where a call stands, who listens to keys, rules for values."""
