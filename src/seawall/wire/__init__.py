"""How clients and vendors write things down: pure functions from bytes to core types and back."""
