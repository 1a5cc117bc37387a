"""Makes a delivered plugin active in its runtime, and undoes that: what a layout asks for becomes changes of files.

Every edit of a person's file is an insertion, so that taking it out again gives the very bytes from before.
"""
