"""What the request of a browser may not say: tokens and publishable keys speak for their own user alone."""

from typing import Any

from msgspec.structs import replace

from seawall.core.call import Request
from seawall.core.errors import NotAllowed

NO_STATE = "Stored answers are for keys that stay on a server. Send the whole conversation instead."
NO_TOOLS = "Tools that the provider runs are for keys that stay on a server. Leave the tool out."
_OWN_TOOLS = frozenset({None, "function", "custom"})
_NAMES = ("user", "safety_identifier")


def of_browser(request: Request) -> Request:
    """Return the request as its caller may make it: nothing is stored, and it names nobody else.

    Raises NotAllowed for stored answers to go on from, and for tools that a provider runs.
    """
    body = request.body
    state = request.state
    if state is not None:
        if state.previous_id is not None:
            raise NotAllowed(NO_STATE, param="previous_response_id")
        if state.references:
            raise NotAllowed(NO_STATE, param="input")
        state = replace(state, is_kept=False)
    tools = body.get("tools")
    for position, tool in enumerate(tools if isinstance(tools, list) else ()):
        if isinstance(tool, dict) and tool.get("type") not in _OWN_TOOLS:
            raise NotAllowed(NO_TOOLS, param=f"tools[{position}].type")
    return replace(request, body=_without_names(body), state=state, end_user=None)


def _without_names(body: dict[str, Any]) -> dict[str, Any]:
    """Take out whom the request names: the provider shall not hear of somebody else."""
    kept = {name: value for name, value in body.items() if name not in _NAMES}
    metadata = kept.get("metadata")
    if isinstance(metadata, dict) and "user_id" in metadata:
        kept["metadata"] = {name: value for name, value in metadata.items() if name != "user_id"}
    return kept
