"""The vocabulary between flows and switches: calls, verbs, outcomes, hang-up causes and the two ports."""
