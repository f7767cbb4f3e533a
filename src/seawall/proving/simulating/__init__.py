"""Traffic of days in a minute: profiles, what they ask, a provider in the process, and what it all cost."""
