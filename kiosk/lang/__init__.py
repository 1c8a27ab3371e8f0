"""One file of citizens', clerks' and technicians' sentences per language."""
