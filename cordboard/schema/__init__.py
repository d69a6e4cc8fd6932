"""JSON Schemas of the files admins write, for their editors: completion, hover texts and faults while typing.

Made from the same pydantic models that read the files, as draft-07, the newest that YAML editors understand. What
only the service can know (whether a node exists, whether types fit) is for `cordboard lint`.
"""
