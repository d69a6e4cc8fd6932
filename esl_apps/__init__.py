"""The FreeSWITCH edge: calls and agents over the Event Socket."""
