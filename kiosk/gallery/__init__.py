"""Pictures of every view in every state, for people who decide about the glass. Nothing of a running kiosk needs it."""
