"""Never done with being imported."""

while True:
    pass
