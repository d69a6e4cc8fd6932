"""How well waits are estimated, on simulated days: ours, app_queue's moving average, and the rule of thumb."""
