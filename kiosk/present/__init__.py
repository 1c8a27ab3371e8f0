"""Facts become what is shown: views, slips, lamps. Decides words and order; draws nothing, writes nothing."""
