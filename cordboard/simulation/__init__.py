"""Calls without a PBX: flows driven by what a test or a person at a terminal says."""
