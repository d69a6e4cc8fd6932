"""What callers hear: recordings by name, and text-to-speech for what has not been recorded yet."""
