"""The test bed for telecom engineers: a real PBX in a container, real SIP callers, real phones, and scenarios that
are judged by what was heard.

`pbx` starts Asterisk on loopback (with `engine`, `image`, `pbx_config`), `baresip` is an agent's phone, `sipp`
makes load, `cleanup` sees that nothing outlives the program that started it, `standing` is the lab that stays up
between commands. Nothing here runs in production, and nothing outside this package and the tests imports it.
"""
