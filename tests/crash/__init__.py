"""Crash replay: the real kiosk runs once under strace, then every moment of it is a power cut.

`trace` reads what the kiosk asked of the disk and of its printer, `disk` builds what a power cut may have left at any
of these moments, `judge` opens it as the next start would and compares it with what is on paper, `recorded` makes the
record, `fingers` is the traced process.
"""
