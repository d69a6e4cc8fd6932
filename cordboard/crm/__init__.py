"""Who is calling: numbers, customers, connectors to where customers are kept, and what the agent's screen shows."""
