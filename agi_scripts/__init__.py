"""The Asterisk edge: FastAGI for calls, AMI for the switch, and the dialplan an admin adds."""
