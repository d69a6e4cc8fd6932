"""What is measured, as files: our configuration directory, and the same queues as app_queue has them. Pure text.

A queue of each size: `ten` with the first ten agents, `hundred` with the first hundred, `thousand` with all; a run
that leaves the larger ones out has no agents for them. Both sides have the same agents with the same
devices, no accept key, no wrap-up and the same music.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

QUEUES = {"ten": 10, "hundred": 100, "thousand": 1_000}
OUR_NUMBERS = {"ten": "6010", "hundred": "6100", "thousand": "6999"}
PEER_NUMBERS = {"ten": "8010", "hundred": "8100", "thousand": "8999"}
MUSIC_NUMBER = "8500"  # music, and no queue at all
SEATS_A_QUEUE = 10
RING_S = 15
MUSIC = "default"
ANI = "+442079460123"  # whom the directory of customers knows

EXTENSIONS = tuple(str(2000 + number) for number in range(1, max(QUEUES.values()) + 1))

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


def queues_up_to(agents: int) -> Mapping[str, int]:
    """The queues of at most so many agents, and of how many each is."""
    return {name: count for name, count in QUEUES.items() if count <= agents}


def extensions_of(queues: Mapping[str, int]) -> Sequence[str]:
    """The phones of all agents of these queues."""
    return EXTENSIONS[: max(queues.values())]


def seated_agents(queue: str) -> list[str]:
    """The agents of a queue who take turns in the samples: ten, spread over it."""
    return list(agents_of(queue)[:: QUEUES[queue] // SEATS_A_QUEUE])


def our_files(queues: Mapping[str, int]) -> Mapping[str, str]:
    """Our configuration directory, file by file. Ports, secret and state come from the environment."""
    flows = {f"flows/{name}.yaml": _FLOW.format(name=name) for name in queues}
    return flows | {
        "cordboard.yaml": "asterisk: {safe_destination: 'operators,s,1'}\n",
        "numbers.yaml": "numbers:\n" + "".join(f'  "{OUR_NUMBERS[name]}": {name}\n' for name in queues),
        "queues.yaml": "queues:\n" + "".join(_our_queue(name) for name in queues),
        "agents.yaml": "agents:\n" + "".join(_our_agent(one, queues) for one in extensions_of(queues)),
        "crm.yaml": _CRM,
        "customers.csv": f"id,name,company,phone,tier\nC-1,Ada Lovelace,Analytical Engines,{ANI},gold\n",
    }


def peer_queues(queues: Mapping[str, int]) -> str:
    """The queues of app_queue, as a part of queues.conf."""
    return "\n".join(
        _PEER_QUEUE.format(name=name, music=MUSIC, ring_s=RING_S, members=_members(name)) for name in queues
    )


def peer_dialplan(queues: Mapping[str, int]) -> str:
    """The numbers that lead to app_queue, and that of plain music, as a part of the lab's dialplan."""
    music = f"exten => {MUSIC_NUMBER},1,Answer()\n same => n,MusicOnHold({MUSIC})\n same => n,Hangup()\n"
    return music + "".join(
        f"exten => {PEER_NUMBERS[name]},1,Answer()\n same => n,Queue({name})\n same => n,Hangup()\n"
        for name in queues
    )


def _our_queue(name: str) -> str:
    return f"  {name}: {{ring_s: {RING_S}, wrap_up: {{s: 0}}, accept: none, music: {MUSIC}}}\n"


def _our_agent(extension: str, queues: Mapping[str, int]) -> str:
    agent = agent_of(extension)
    served = ", ".join(name for name in queues if agent in agents_of(name))
    return f"  {agent}: {{device: {device_of(agent)}, queues: [{served}]}}\n"


def _members(queue: str) -> str:
    return "\n".join(f"member => {device_of(agent)}" for agent in agents_of(queue))
