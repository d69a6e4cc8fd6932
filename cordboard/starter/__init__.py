"""A configuration to start from, as package data, and the copying of it: `cordboard init`."""
