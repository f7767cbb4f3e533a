"""OpenAI's chat completions, read and written."""
