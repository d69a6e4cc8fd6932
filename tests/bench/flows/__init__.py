"""What the flow engine costs by itself: no PBX, no service, one process."""
