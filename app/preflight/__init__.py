"""Before the print: printer profiles, what a mesh is like, whether a printer takes it, and checked export.

What does not live here: how a format is read or written (`app.formats`).
"""
