"""Many documents, one after another or side by side, each in a process that may die.

In: files and a plan. Out: an outcome for every file.
"""
