"""What happens to a call, step by step; knows no protocol, vendor or database."""
