"""Stage and advice from the app's own numbers: pure functions over sums, facts and replays."""
