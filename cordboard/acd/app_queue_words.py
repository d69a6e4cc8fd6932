"""What Asterisk's `queues.conf` calls the options of a queue, and how they are called here.

For the hint beside an unknown key, so that whoever brings a queue over is told our word. Read by `queues_file`;
what an option means exactly is in docs/compat.md.
"""

from __future__ import annotations

OPTIONS = {
    "timeout": "`ring_s: 15`",
    "retry": "`rona: {retry_after_s: 5}`",
    "wrapuptime": "`wrap_up: {s: 20}`",
    "maxlen": "`max_waiting: 20`",
    "joinempty": "`join_when_empty: strict`",
    "leavewhenempty": "`leave_when_empty: strict`",
    "servicelevel": "`service_level: {s: 20}`",
    "musicclass": "`music: default`",
    "musiconhold": "`music: default`",
    "autofill": "`compat: {autofill: true}`",
    "penaltymemberslimit": "`compat: {penalty_members_limit: 3}`",
    "autopause": "`rona: {pause_after: 1}`",
    "context": "`keys` of the node `queue` in the flow",
    "member": "the queue's name under `queues` of an agent in agents.yaml",
    "members": "the queue's name under `queues` of an agent in agents.yaml",
    "memberdelay": "`accept: {key: none, whisper: {en: A call for sales.}}`",
    "announce-position": "`announce: {position: {say: {en: You are number}}}`",
    "announce-frequency": "`announce: {position: {every_s: 45, say: {en: You are number}}}`",
    "min-announce-frequency": "`announce: {min_interval_s: 15}`",
    "announce-holdtime": "`announce: {wait: {say: {en: Your wait is about}, minutes: {en: minutes}}}`",
    "periodic-announce": "`announce: {periodic: {messages: [{en: Thank you for waiting.}]}}`",
    "periodic-announce-frequency": "`announce: {periodic: {every_s: 60, messages: [{en: Thank you.}]}}`",
}
"""An option of queues.conf -> what to write here."""
