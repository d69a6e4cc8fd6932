"""What the ACD's store costs by itself, on SQLite and on PostgreSQL: no Asterisk, no service, a floor of many queues."""
