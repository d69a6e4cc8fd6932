"""Cordboard: YAML call flows, call queues and screen-pops for open-source PBXs."""
