"""OpenAI's responses, after the Open Responses specification, read and written."""
