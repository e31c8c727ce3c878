"""One module per file format; each ends by registering itself. `formats()` finds them all.

A reader turns a file into a `Soup` and raises `UnreadableFile` for anything it cannot; a writer turns a `Soup` into a
file at a path it is given (temporary names, checking and renaming are `app.preflight.export`'s business).
"""
