"""The SIP trunk between the two switches of a trial house: how each asks for the other's phones. Pure text.

`house_files` puts it among the switches' files. Each side has to show the secret of the trunk: calls come from
loopback only, but there everybody on the machine may call. The names are those of `reaches:` in docs/freeswitch.md.
"""

from __future__ import annotations

from string import Template

ASTERISK_FILE = "pjsip.d/trunk.conf"

_OF_ASTERISK = Template("""\
; FreeSWITCH of the house:  Dial(PJSIP/1004@freeswitch)  rings its phone 1004.
[freeswitch](media)
context = from-phones
aors = freeswitch
auth = freeswitch
outbound_auth = freeswitch-out
from_user = asterisk
send_pai = yes
trust_id_inbound = yes

[freeswitch]
type = aor
contact = sip:$host:$port

[freeswitch]
type = auth
auth_type = digest
username = freeswitch
password = $secret

[freeswitch-out]
type = auth
auth_type = digest
username = asterisk
password = $secret
""")
_GATEWAY = Template("""
      <gateway name="asterisk">
        <param name="username" value="freeswitch"/>
        <param name="password" value="$secret"/>
        <param name="proxy" value="$host:$port"/>
        <param name="register" value="false"/>
        <param name="caller-id-in-from" value="false"/>
      </gateway>
    """)
_USER = Template("""\
          <user id="asterisk">
            <params>
              <param name="password" value="$secret"/>
            </params>
            <variables>
              <variable name="user_context" value="from-phones"/>
            </variables>
          </user>
""")


def trunk_of_asterisk(host: str, port: int, secret: str) -> str:
    """Asterisk's side, a file of pjsip.conf. port: FreeSWITCH's."""
    return _OF_ASTERISK.substitute(host=host, port=port, secret=secret)


def gateway_of_freeswitch(host: str, port: int, secret: str) -> str:
    """What FreeSWITCH calls Asterisk by: a <gateway>. port: Asterisk's."""
    return _GATEWAY.substitute(host=host, port=port, secret=secret)


def user_of_freeswitch(secret: str) -> str:
    """As whom Asterisk calls FreeSWITCH: a <user>."""
    return _USER.substitute(secret=secret)
