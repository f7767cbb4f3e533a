"""The vendors: where they are, what they speak, what they charge."""
