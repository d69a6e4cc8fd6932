"""What the store of the ACD costs by itself, on SQLite and on PostgreSQL: no Asterisk, no service, many queues."""
