"""Reading what admins write: YAML with places kept, and findings that say where, what and how to fix it."""
