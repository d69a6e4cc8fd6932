"""What a SIPp caller does, as SIPp's XML. Pure text; `sipp` writes it to a file.

The caller offers ulaw and sends no audio. Its number is SIPp's `-s`; it calls from `ani`.
"""

from __future__ import annotations

from xml.sax.saxutils import quoteattr

_HEADERS = """\
      Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
      From: <sip:{ani}@[local_ip]:[local_port]>;tag=[call_number]
      To: <sip:[service]@[remote_ip]:[remote_port]>{to_tag}
      Call-ID: [call_id]
      CSeq: {sequence} {method}
      Contact: <sip:{ani}@[local_ip]:[local_port]>
      Max-Forwards: 70"""

_SDP = """\
      v=0
      o=sipp 1 1 IN IP[local_ip_type] [local_ip]
      s=-
      c=IN IP[media_ip_type] [media_ip]
      t=0 0
      m=audio [media_port] RTP/AVP 0 96
      a=rtpmap:0 PCMU/8000
      a=rtpmap:96 telephone-event/8000"""

_HANG_UP_OURSELVES = """
  <pause milliseconds={pause_ms}/>
  <send retrans="500"><![CDATA[

{bye}
      Content-Length: 0

  ]]></send>
  <recv response="200"/>"""

_WAIT_FOR_HANG_UP = """
  <recv request="BYE" timeout={limit_ms}/>
  <send><![CDATA[

      SIP/2.0 200 OK
      [last_Via:]
      [last_From:]
      [last_To:]
      [last_Call-ID:]
      [last_CSeq:]
      Content-Length: 0

  ]]></send>"""

_SCENARIO = """\
<?xml version="1.0" encoding="UTF-8"?>
<scenario name="caller">
  <send retrans="500" start_rtd="1"><![CDATA[

      INVITE sip:[service]@[remote_ip]:[remote_port] SIP/2.0
{invite}
      Content-Type: application/sdp
      Content-Length: [len]

{sdp}

  ]]></send>
  <recv response="100" optional="true"/>
  <recv response="180" optional="true"/>
  <recv response="183" optional="true"/>
  <recv response="200" rtd="1" timeout={limit_ms}/>
  <send><![CDATA[

      ACK sip:[service]@[remote_ip]:[remote_port] SIP/2.0
{ack}
      Content-Length: 0

  ]]></send>{ending}
</scenario>
"""


def caller_scenario(ani: str, *, hangs_up_after_s: float | None = None, limit_s: float = 60.0) -> str:
    """A caller who is answered and then hangs up after a while, or (None) stays until the PBX hangs up.

    limit_s: how long each answer of the PBX may take before the call counts as failed.
    """
    limit_ms = quoteattr(str(round(limit_s * 1000)))
    if hangs_up_after_s is None:
        ending = _WAIT_FOR_HANG_UP.format(limit_ms=limit_ms)
    else:
        bye = "      BYE sip:[service]@[remote_ip]:[remote_port] SIP/2.0\n" + _headers(ani, "BYE", 2)
        ending = _HANG_UP_OURSELVES.format(pause_ms=quoteattr(str(round(hangs_up_after_s * 1000))), bye=bye)
    return _SCENARIO.format(
        invite=_headers(ani, "INVITE", 1, to_tag=""),
        ack=_headers(ani, "ACK", 1),
        sdp=_SDP,
        limit_ms=limit_ms,
        ending=ending,
    )


def _headers(ani: str, method: str, sequence: int, to_tag: str = "[peer_tag_param]") -> str:
    return _HEADERS.format(ani=ani, method=method, sequence=sequence, to_tag=to_tag)
