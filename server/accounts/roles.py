"""Which roles may do what. Views and the navigation both take them from here, so that no link leads to a refusal."""

from server.accounts.models import Role

ALL = frozenset(Role)
FIGURES = frozenset({Role.OPERATOR, Role.VIEWER, Role.ADMIN, Role.LEADER})
OPERATORS = frozenset({Role.OPERATOR})
CLERKS = frozenset({Role.CLERK})
TODAY = ALL - CLERKS
ACCOUNTS = frozenset({Role.OPERATOR, Role.ADMIN})
"""Accounts of people and programs, and whom alarms are told to."""
KEEPERS = frozenset({Role.OPERATOR, Role.ADMIN, Role.TECHNICIAN})
"""What is done with kiosks and their events."""
MACHINES = FIGURES | KEEPERS
FETCHERS = frozenset({Role.OPERATOR, Role.ADMIN})
"""Addresses of kiosks that the server goes to: whoever sets one can have the server knock there."""
LEADERS = frozenset({Role.ADMIN, Role.LEADER})
"""What is published, comments, and the board."""
EDITORS = frozenset({Role.ADMIN, Role.TECHNICIAN})
"""The office document."""
DOCUMENTS = LEADERS | EDITORS
AUDITORS = ACCOUNTS | LEADERS
