"""`make bench`: one small IVR as native dialplan, as a bare panoramisk handler and as a flow of ours, side by side.

Measured on one Asterisk in one run and written to docs/benchmarks.md. Nothing here is part of the product.
"""
