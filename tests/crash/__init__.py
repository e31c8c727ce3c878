"""Proof that no finished stroke is lost: the program is killed, disks fill up, calls fail; what comes back is compared.

python -m tests.crash --runs 500        the long form, with figures at its end; the tests here are the short form

witness    inside the program under test: writes down every finished state, and what is reported as safe
bare       program under test without a window: document, history, strokes, working copy
window     program under test with its window and real Qt events
ledger     reads what a witness wrote; knows what may come back, and judges it
recovery   a fresh process that recovers like the program and tells what it found
kills      starts one of the two, kills it at a moment drawn by chance, lets `recovery` look
kill_runs  hundreds of that, and their figures
saves      a program in a forked child, and what can be laid in its way
sweeps     Save and commits, stopped or failing at every single write call
disks      disks that fill up, vanish, or cannot be written
workers    worker processes killed under a living window
moves      what a hand does; states: what has to come back
"""
