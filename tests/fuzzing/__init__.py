"""Hostile files for every reader: `python -m tests.fuzzing --help`.

    seeds       small whole files to start from        __main__   command line and table
    mutate      one damaged file from a whole one      campaign   children, watchdog, counts
    blind, texts, packages, pictures, databases        child      one long-lived process that reads inputs
                the kinds of damage                    guard      what a reader may touch while it reads
    subjects    the readers, and what they owe         findings   saved, with a smaller input that still does it

An input is known by its reader, the seed of the run and its number: the same three give the same bytes.
`atheris_run` is another way to find inputs: by coverage, for the readers written in Python.
"""
