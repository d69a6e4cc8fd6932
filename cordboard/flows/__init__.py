"""The flow engine: from YAML to a checked flow, and from outcomes to the next verb. No socket, clock or task."""
