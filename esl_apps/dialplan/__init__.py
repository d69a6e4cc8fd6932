"""What an admin adds to FreeSWITCH: dialplan, Event Socket, core settings."""
