"""The part of `make bench` about FreeSWITCH: what an event socket costs, and how soon two are joined.

Ours against bare greenswitch and plain asyncio, who do the same script; and against mod_callcenter, with the same
phones and the same callers. Nothing here is part of the product.
"""
