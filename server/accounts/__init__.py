"""Who may sign in, and what is noted of what people do."""
