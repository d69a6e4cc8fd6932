"""Simulated days: the same decisions as on a real floor, under a clock that jumps from one event to the next."""
