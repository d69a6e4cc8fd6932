"""The flow engine: from YAML to a checked flow, and from outcomes to the next verb. Pure: no socket, clock or task."""
