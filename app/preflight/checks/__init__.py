"""What is checked before a print, one function per check, and running them.

A check is a decorated function in one of the modules here; nothing else lists checks. What it finds says how it stands,
how much, against which limit, where, and which operation mends it. What does not live here: measuring (`thickness`,
`self_intersection`, `shells` ... beside this package), and what a click on "fix" does (`app.operations`).
"""
