"""What happens beside the calls: alerts, webhooks, mail, the daily digest.

Nothing here is on a caller's path.
"""
