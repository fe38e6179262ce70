"""``sessionkit browse``: sessions and their transcripts, full-screen. Needs the extra ``browse``."""
