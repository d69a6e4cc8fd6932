"""The part of `make bench` about queues: how soon a caller who waits and an agent who becomes free are joined.

Ours against app_queue, on one Asterisk, with the same phones and the same callers; and how soon an offer is on the
agent's page. Nothing here is part of the product.
"""
