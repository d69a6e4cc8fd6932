"""Gives back what it was given."""


def echo(*, said: str) -> dict[str, str]:
    """The same text."""
    return {"said": said}
