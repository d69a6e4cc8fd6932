"""Wiring: reads the configuration, builds the parts, runs the processes. The only place that knows them all."""
