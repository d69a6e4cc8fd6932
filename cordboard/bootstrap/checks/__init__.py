"""The checks of `cordboard doctor`, a file for each. None of them changes anything that is there."""
