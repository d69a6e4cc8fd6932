"""What an admin adds to Asterisk: dialplan, manager user, systemd unit, and the lines that include them."""
