"""The web: the agent's desk and the live queue page. It shows what the store says and writes what agents do."""
