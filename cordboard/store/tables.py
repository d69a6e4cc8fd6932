"""The tables, as SQLAlchemy Core sees them. A change here needs a new file in `migrations/versions`.

Columns named `..._at` are seconds since 1970; `..._until`, `..._boot` and `ring_by` are seconds of the boot
clock, worthless after a reboot (see `boot.py`). Everything personal is in `callers`, `parties`, `offers.note`,
`traced_calls` and `call_steps`, and nowhere else.
"""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Boolean, Column, Float, Index, Integer, MetaData, String, Table, text

metadata = MetaData()

# One row a live call whose position or variables cannot be told from its channel alone. `epoch` says
# which worker holds the call: one which lost it (stopped, cut off) cannot write over its successor.
flow_runs = Table(
    "flow_runs",
    metadata,
    Column("call_id", String(26), primary_key=True),
    Column("epoch", BigInteger, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("leg_id", String(128), nullable=False),
    Column("snapshot", String, nullable=False),
    Column("written_at", Float, nullable=False, index=True),
)

# A caller's stay in a queue. state: waiting, offered, away (the place is kept, no agent is offered to it), talking
# (joined with an agent: left_queue is in the ledger, the caller has not come back yet), left. owner holds the call
# and renews lease_until; fence counts the owners. held_until: when an away place is given up. kind: call, callback,
# cut_off. needs: JSON, as the caller came with them; asks: JSON, what is required of an agent now, by which
# those who wait are grouped; asks_until: when that changes. rank, stands_at: who stands first, as in
# `acd.matching.entry_order`. asked_queue: where the flow has put the call, if it has gone on from there by
# overflow; "" otherwise. identity: the mark of who alone may have the place again (`acd.identity`), "" for nobody.
# own_needs: of `needs` what the flow has asked for, without what the queue asks of everybody; NULL if that is all.
# visit: which step of its flow has the call wait here, by the number in its checkpoint; 0 if none is known.
# exit_key: pressed to leave. told_place: the last place in line the caller was told here, 0 for none.
queue_entries = Table(
    "queue_entries",
    metadata,
    Column("entry_id", String(26), primary_key=True),
    Column("call_id", String(26), nullable=False, index=True),
    Column("queue", String(64), nullable=False),
    Column("leg_id", String(128), nullable=False),
    Column("switch", String(32), nullable=False),
    Column("priority", Integer, nullable=False),
    Column("language", String(16), nullable=False),
    Column("entered_at", Float, nullable=False),
    Column("entered_boot", Float, nullable=False),
    Column("state", String(16), nullable=False),
    Column("owner", String(128), nullable=False),
    Column("lease_until", Float, nullable=False),
    Column("fence", Integer, nullable=False),
    Column("left_at", Float),
    Column("left_because", String(16)),
    Column("party_ref", String(26), nullable=False),
    Column("kind", String(16), nullable=False, server_default="call"),
    Column("needs", String, nullable=False, server_default=""),
    Column("asks", String, nullable=False, server_default=""),
    Column("asks_until", Float),
    Column("rank", Integer, nullable=False, server_default="0"),
    Column("stands_at", Float, nullable=False, server_default="0"),
    Column("held_until", Float),
    Column("estimate_s", Float),
    Column("told_s", Float),
    Column("asked_queue", String(64), nullable=False, server_default=""),
    Column("identity", String(64), nullable=False, server_default=""),
    Column("own_needs", String),
    Column("visit", Integer, nullable=False, server_default="0"),
    Column("exit_key", String(1), nullable=False, server_default=""),
    Column("told_place", Integer, nullable=False, server_default="0"),
)
Index(
    "queue_entries_waiting",
    queue_entries.c.queue,
    queue_entries.c.asks,
    queue_entries.c.rank.desc(),
    queue_entries.c.stands_at,
    queue_entries.c.call_id,
    queue_entries.c.state,  # so that SQLite groups by it without reading the rows
    sqlite_where=text("state = 'waiting'"),
    postgresql_where=text("state = 'waiting'"),
)
Index(
    "queue_entries_in_line",
    queue_entries.c.queue,
    queue_entries.c.rank.desc(),
    queue_entries.c.stands_at,
    queue_entries.c.call_id,
    sqlite_where=text("state <> 'left' AND state <> 'talking'"),
    postgresql_where=text("state <> 'left' AND state <> 'talking'"),
)
Index(
    "queue_entries_relaxing",
    queue_entries.c.asks_until,
    sqlite_where=text("state <> 'left' AND state <> 'talking' AND asks_until IS NOT NULL"),
    postgresql_where=text("state <> 'left' AND state <> 'talking' AND asks_until IS NOT NULL"),
)
# A call waits in one queue at a time: the database itself refuses a second place.
Index(
    "queue_entries_live",
    queue_entries.c.call_id,
    unique=True,
    sqlite_where=text("state <> 'left'"),
    postgresql_where=text("state <> 'left'"),
)
Index(
    "queue_entries_held",
    queue_entries.c.held_until,
    sqlite_where=text("state = 'away'"),
    postgresql_where=text("state = 'away'"),
)
Index(
    "queue_entries_owned",
    queue_entries.c.owner,
    sqlite_where=text("state <> 'left'"),
    postgresql_where=text("state <> 'left'"),
)

# What a queue remembers from one choice of an agent to the next. data: JSON, of its strategy.
queue_memory = Table(
    "queue_memory",
    metadata,
    Column("queue", String(64), primary_key=True),
    Column("last_agent", String(64), nullable=False),
    Column("data", String, nullable=False),
)

# An agent without a row is logged out. offer_id: the open offer, or the one being wrapped up. paused_until: when
# what is declared for the end of the pause is due. forced_by: who decided the presence for them. rona_counts: JSON,
# by cause.
agent_states = Table(
    "agent_states",
    metadata,
    Column("agent", String(64), primary_key=True),
    Column("presence", String(16), nullable=False),
    Column("presence_reason", String(64), nullable=False),
    Column("presence_since_at", Float, nullable=False),
    Column("activity", String(16), nullable=False),
    Column("activity_since_at", Float, nullable=False),
    Column("offer_id", String(26)),
    Column("idle_since_at", Float, nullable=False),
    Column("blocked_until", Float, nullable=False),
    Column("wrap_up_until", Float),
    Column("rona_in_a_row", Integer, nullable=False),
    Column("paused_until", Float),
    Column("rona_counts", String, nullable=False, server_default="{}"),
    Column("calls_today", Integer, nullable=False, server_default="0"),
    Column("talk_s_today", Float, nullable=False, server_default="0"),
    Column("counted_since_at", Float, nullable=False, server_default="0"),
    Column("last_offered_at", Float, nullable=False, server_default="0"),
    Column("last_call_ended_at", Float, nullable=False, server_default="0"),
    Column("wrap_up_extended_s", Float, nullable=False, server_default="0"),
    Column("forced_by", String(64), nullable=False, server_default=""),
)
Index(
    "agent_states_free",
    agent_states.c.idle_since_at,
    sqlite_where=text("presence = 'available' AND activity = 'idle'"),
    postgresql_where=text("presence = 'available' AND activity = 'idle'"),
)
Index(
    "agent_states_paused",
    agent_states.c.paused_until,
    sqlite_where=text("presence = 'paused'"),
    postgresql_where=text("presence = 'paused'"),
)
Index(
    "agent_states_wrap_up",
    agent_states.c.wrap_up_until,
    sqlite_where=text("activity = 'wrap_up'"),
    postgresql_where=text("activity = 'wrap_up'"),
)

devices = Table(
    "devices",
    metadata,
    Column("device", String(128), primary_key=True),
    Column("state", String(16), nullable=False),
    Column("changed_at", Float, nullable=False),
)
Index(
    "devices_not_free",
    devices.c.device,
    devices.c.state,
    sqlite_where=text("state <> 'idle' AND state <> 'unknown'"),
    postgresql_where=text("state <> 'idle' AND state <> 'unknown'"),
)

# A call proposed to an agent. fence: the entry's when the phone was rung. agent_gone_at: the end of the agent's
# leg, noted when it is told before the rest is known. changed_boot: when the row was last moved on, for comparing
# it with a list of legs. slot: "voice" for a call; what may be open beside others has one of its own, its offer_id.
offers = Table(
    "offers",
    metadata,
    Column("offer_id", String(26), primary_key=True),
    Column("entry_id", String(26), nullable=False, index=True),
    Column("call_id", String(26), nullable=False, index=True),
    Column("queue", String(64), nullable=False),
    Column("agent", String(64), nullable=False),
    Column("state", String(16), nullable=False),
    Column("reason", String, nullable=False),
    Column("fence", Integer, nullable=False),
    Column("made_at", Float, nullable=False),
    Column("ring_by", Float, nullable=False),
    Column("changed_boot", Float, nullable=False),
    Column("ringing_at", Float),
    Column("answered_at", Float),
    Column("joined_at", Float),
    Column("agent_gone_at", Float),
    Column("talk_ended_at", Float),
    Column("ended_at", Float),
    Column("end", String(16)),
    Column("wrap_up_ended_at", Float),
    Column("disposition", String(64), nullable=False),
    Column("note", String, nullable=False),
    Column("agent_leg_id", String(128), nullable=False),
    Column("party_ref", String(26), nullable=False, index=True),
    Column("slot", String(26), nullable=False, server_default="voice"),
)
# The two laws of offers, kept by the database itself: an agent has one call at a time, and a caller is offered to
# nobody twice at a time. (Of several agents who are rung at once for a caller one gets the call: see
# `acd_offers.note_joined`.)
Index(
    "offers_open_agent",
    offers.c.agent,
    offers.c.slot,
    unique=True,
    sqlite_where=text("state <> 'ended'"),
    postgresql_where=text("state <> 'ended'"),
)
Index(
    "offers_open_entry",
    offers.c.entry_id,
    offers.c.agent,
    unique=True,
    sqlite_where=text("state <> 'ended'"),
    postgresql_where=text("state <> 'ended'"),
)
Index(
    "offers_handed_out",  # to a worker, and no leg of the agent is known yet: few, however many talk
    offers.c.entry_id,
    sqlite_where=text("state = 'ringing' AND agent_leg_id = ''"),
    postgresql_where=text("state = 'ringing' AND agent_leg_id = ''"),
)
Index(
    "offers_to_ring",
    offers.c.ring_by,
    sqlite_where=text("state = 'offered'"),
    postgresql_where=text("state = 'offered'"),
)

callers = Table(
    "callers",
    metadata,
    Column("call_id", String(26), primary_key=True),
    Column("party_ref", String(26), nullable=False, index=True),
    Column("ani", String, nullable=False),
    Column("caller_name", String, nullable=False),
    Column("dnis", String, nullable=False),
    Column("number", String, nullable=False),
    Column("arrived_at", Float, nullable=False),
    Column("path", JSON, nullable=False),
    Column("lookup", String(16), nullable=False),
    Column("customer", JSON, nullable=False),
)

parties = Table(
    "parties",
    metadata,
    Column("party_ref", String(26), primary_key=True),
    Column("number", String, nullable=False, unique=True),
)

# Append-only. The same event told twice is one row.
ledger = Table(
    "ledger",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("event_id", String(128), nullable=False, unique=True),
    Column("at", Float, nullable=False, index=True),
    Column("kind", String(32), nullable=False),
    Column("call_id", String(26), nullable=False, index=True),
    Column("entry_id", String(26), nullable=False),
    Column("offer_id", String(26), nullable=False),
    Column("queue", String(64), nullable=False),
    Column("agent", String(64), nullable=False),
    Column("party_ref", String(26), nullable=False),
    Column("data", JSON, nullable=False),
    sqlite_autoincrement=True,
)

# What calls did, step by step, kept for some weeks. `ani` and `caller_name` are personal, and so is what callers
# entered: the whole `record` of their steps.
traced_calls = Table(
    "traced_calls",
    metadata,
    Column("call_id", String(26), primary_key=True),
    Column("flow", String(64), nullable=False),
    Column("revision", String(16), nullable=False),
    Column("switch", String(32), nullable=False),
    Column("leg_id", String(128), nullable=False),
    Column("dnis", String, nullable=False),
    Column("started_at", Float, nullable=False),
    Column("ended_at", Float),
    Column("result", String(16), nullable=False),
    Column("ani", String, nullable=False),
    Column("caller_name", String, nullable=False),
    Column("is_erased", Boolean, nullable=False),
)

# number: when it was noted, in nanoseconds of the boot clock: in order, also if several workers had the call.
# A call's steps lie together on the disk, and those of old calls too, as ids begin with the time: both are ranges.
call_steps = Table(
    "call_steps",
    metadata,
    Column("call_id", String(26), primary_key=True),
    Column("number", BigInteger, primary_key=True),
    Column("at", Float, nullable=False),
    Column("kind", String(8), nullable=False),
    Column("flow", String(64), nullable=False),
    Column("revision", String(16), nullable=False),
    Column("node", String(96), nullable=False),
    Column("verb", String(32), nullable=False),
    Column("outcome", String(32), nullable=False),
    Column("record", String, nullable=False),
    sqlite_with_rowid=False,
)

# Callers who are to be called back. state: waiting, done (somebody has), taken (they called themselves), failed
# (not reached), expired, declined (picked up, and did not want it), erased (nobody knows the number any more).
# The number is the party's. entered_at: when the call came to the queue, if it has waited there. entry_id: the
# place that is kept, "" where people call back. due_at: no attempt before; leg_id: of the attempt under way, which
# must have come to something by dial_until. reason: asked, or cut_off; mode: who was rung first.
callbacks = Table(
    "callbacks",
    metadata,
    Column("callback_id", String(26), primary_key=True),
    Column("call_id", String(26), nullable=False, index=True),
    Column("queue", String(64), nullable=False),
    Column("party_ref", String(26), nullable=False, index=True),
    Column("language", String(16), nullable=False),
    Column("priority", Integer, nullable=False),
    Column("requested_at", Float, nullable=False),
    Column("entered_at", Float),
    Column("state", String(16), nullable=False),
    Column("closed_at", Float),
    Column("entry_id", String(26), nullable=False, server_default="", index=True),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("due_at", Float),
    Column("expires_at", Float),
    Column("leg_id", String(128), nullable=False, server_default=""),
    Column("last_result", String(32), nullable=False, server_default=""),
    Column("prefers_agent", String(64), nullable=False, server_default=""),
    Column("reason", String(16), nullable=False, server_default="asked"),
    Column("mode", String(16), nullable=False, server_default=""),
    Column("dial_until", Float),
)
# A number is called back once by each queue: the database itself refuses a second promise.
Index(
    "callbacks_open",
    callbacks.c.queue,
    callbacks.c.party_ref,
    unique=True,
    sqlite_where=text("state = 'waiting'"),
    postgresql_where=text("state = 'waiting'"),
)

leases = Table(
    "leases",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("holder", String(128), nullable=False),
    Column("until", Float, nullable=False),
    Column("fence", Integer, nullable=False),
)

# What agents key in on the telephone, by argon2 as their passwords.
agent_pins = Table(
    "agent_pins",
    metadata,
    Column("agent", String(64), primary_key=True),
    Column("pin_hash", String, nullable=False),
)

logins = Table(
    "logins",
    metadata,
    Column("agent", String(64), primary_key=True),
    Column("password_hash", String, nullable=False),
)

desk_sessions = Table(
    "desk_sessions",
    metadata,
    Column("token_hash", String(64), primary_key=True),
    Column("agent", String(64), nullable=False, index=True),
    Column("expires_at", Float, nullable=False, index=True),
)

meta = Table(
    "meta",
    metadata,
    Column("key", String(32), primary_key=True),
    Column("value", String, nullable=False),
)
