"""What citizens' phones are shown and may say when they are not in the office's own network."""
