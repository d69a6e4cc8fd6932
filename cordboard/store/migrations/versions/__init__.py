"""The steps. A file here is never changed once it was released: rows out there were made by it."""
