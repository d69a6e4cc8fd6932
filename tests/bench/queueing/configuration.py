"""What is measured, as files: our configuration directory, and the same queues as app_queue has them. Pure text.

Two queues: `ten` with the first ten agents, `hundred` with all. Both sides have the same agents with the same
devices, no accept key, no wrap-up and the same music.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

AGENTS = 100
QUEUES = {"ten": 10, "hundred": AGENTS}
OUR_NUMBERS = {"ten": "6010", "hundred": "6100"}
PEER_NUMBERS = {"ten": "8010", "hundred": "8100"}
RING_S = 15
MUSIC = "default"
ANI = "+442079460123"  # whom the directory of customers knows

EXTENSIONS = tuple(str(2000 + number) for number in range(1, AGENTS + 1))

_PEER_QUEUE = """\
[{name}]
strategy = leastrecent
musicclass = {music}
timeout = {ring_s}
retry = 1
wrapuptime = 0
autofill = yes
ringinuse = no
joinempty = yes
leavewhenempty = no
{members}
"""

_FLOW = """\
flow: {name}
languages: [en]
start: wait
on_failure: bye
nodes:
  wait: {{queue: {name}, next: bye, otherwise: bye}}
  bye: {{hangup: normal}}
"""

_CRM = """\
country: GB
connector: directory
title: name
customer: {name: text, company: text, tier: text}
"""


def agents_of(queue: str) -> Sequence[str]:
    """The agents of a queue: their names are `a` and their extension."""
    return [agent_of(extension) for extension in EXTENSIONS[: QUEUES[queue]]]


def agent_of(extension: str) -> str:
    """The agent whose phone that is."""
    return f"a{extension}"


def device_of(agent: str) -> str:
    """What rings at an agent's desk."""
    return f"PJSIP/{agent[1:]}"


def our_files() -> Mapping[str, str]:
    """Our configuration directory, file by file. Ports, secret and state come from the environment."""
    flows = {f"flows/{name}.yaml": _FLOW.format(name=name) for name in QUEUES}
    return flows | {
        "cordboard.yaml": "asterisk: {safe_destination: 'operators,s,1'}\n",
        "numbers.yaml": "numbers:\n" + "".join(f'  "{OUR_NUMBERS[name]}": {name}\n' for name in QUEUES),
        "queues.yaml": "queues:\n" + "".join(_our_queue(name) for name in QUEUES),
        "agents.yaml": "agents:\n" + "".join(_our_agent(extension) for extension in EXTENSIONS),
        "crm.yaml": _CRM,
        "customers.csv": f"id,name,company,phone,tier\nC-1,Ada Lovelace,Analytical Engines,{ANI},gold\n",
    }


def peer_queues() -> str:
    """The queues of app_queue, as a part of queues.conf."""
    return "\n".join(
        _PEER_QUEUE.format(name=name, music=MUSIC, ring_s=RING_S, members=_members(name)) for name in QUEUES
    )


def peer_dialplan() -> str:
    """The numbers that lead to app_queue, as a part of the lab's dialplan."""
    return "".join(
        f"exten => {PEER_NUMBERS[name]},1,Answer()\n same => n,Queue({name})\n same => n,Hangup()\n"
        for name in QUEUES
    )


def _our_queue(name: str) -> str:
    return f"  {name}: {{ring_s: {RING_S}, wrap_up: {{s: 0}}, accept: none, music: {MUSIC}}}\n"


def _our_agent(extension: str) -> str:
    agent = agent_of(extension)
    queues = [name for name in QUEUES if agent in agents_of(name)]
    return f"  {agent}: {{device: {device_of(agent)}, queues: [{', '.join(queues)}]}}\n"


def _members(queue: str) -> str:
    return "\n".join(f"member => {device_of(agent)}" for agent in agents_of(queue))
