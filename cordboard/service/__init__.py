"""What happens to calls: taking them in, driving their flows, handing them on, noting where they are."""
