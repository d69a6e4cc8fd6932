"""How values are spoken: numbers, dates, money and the like, by the rules of each language.

Pure, and worked out when the flow loads as far as can be. `rules` is what the others use; a language's words are in
the file of its name.
"""
