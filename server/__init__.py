"""The commune server: takes the events of kiosks, and turns them into reports and pages. Runs on another machine."""
