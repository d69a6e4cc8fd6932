"""The ACD's rules: who is offered which call, and why. Values and pure functions: no socket, no clock, no task."""
