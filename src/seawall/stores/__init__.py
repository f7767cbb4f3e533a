"""The homes of what must be kept, one folder or file per technology."""
