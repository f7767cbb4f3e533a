"""Where jobs stand, written once for all databases; a home runs the statements and knows who is dead."""
