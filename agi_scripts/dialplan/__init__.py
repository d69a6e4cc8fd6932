"""What an admin adds to Asterisk: dialplan, manager user, systemd unit, and how they get there."""
