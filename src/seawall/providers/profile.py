"""What differs between vendors, and how each dialect is spoken to them."""

from collections.abc import Callable
from typing import Literal

from msgspec import Struct

from seawall.core.call import Attempt, Request
from seawall.wire import embeddings
from seawall.wire.chat import request as chat
from seawall.wire.chat.request import CapField
from seawall.wire.messages import counting
from seawall.wire.messages import request as messages
from seawall.wire.responses import request as responses

Headers = tuple[tuple[str, str], ...]

KEY_HEADERS: dict[str, Callable[[str], tuple[str, str]]] = {
    "bearer": lambda key: ("authorization", f"Bearer {key}"),
    "x-api-key": lambda key: ("x-api-key", key),
    "api-key": lambda key: ("api-key", key),
}


class VendorProfile(Struct, frozen=True):
    """What differs between vendors.

    `vendor` is the name in the price table. `dialects` are those it speaks, the one to translate into first
    named first. `pins` are fields that are set where the client leaves the choice to the vendor's own
    settings, because those may choose a dearer one. `headers` go with every request unless the client's own
    of that name travel on. `takes_reasoning` says that assistant messages may carry their reasoning,
    `seal_origin` whose seals of reasoning the vendor can read.
    """

    vendor: str
    dialects: tuple[str, ...] = ("chat", "embeddings")
    cap_field: CapField = CapField()
    stops_on_disconnect: bool = False
    pins: tuple[tuple[str, str], ...] = ()
    auth: Literal["bearer", "x-api-key", "api-key"] = "bearer"
    headers: Headers = ()
    takes_reasoning: bool = False
    seal_origin: str = ""

    def speaks(self, dialect: str) -> bool:
        """Say whether a request of this dialect can be sent as it is."""
        return ("messages" if dialect == counting.DIALECT else dialect) in self.dialects


def write_body(request: Request, attempt: Attempt, profile: VendorProfile) -> bytes:
    """Write the body that the vendor gets, with its own name of the model and the output cap."""
    return _WRITE[request.dialect](request, attempt, profile)


def _write_chat(request: Request, attempt: Attempt, profile: VendorProfile) -> bytes:
    return chat.write_request(
        request,
        model=attempt.route.model,
        output_cap=attempt.output_cap,
        cap_field=profile.cap_field,
        pins=profile.pins,
    )


def _write_responses(request: Request, attempt: Attempt, profile: VendorProfile) -> bytes:
    return responses.write_request(
        request,
        model=attempt.route.model,
        output_cap=attempt.output_cap,
        reasons=attempt.route.price.reasons,
        pins=profile.pins,
    )


def _write_messages(request: Request, attempt: Attempt, profile: VendorProfile) -> bytes:
    return messages.write_request(request, model=attempt.route.model, output_cap=attempt.output_cap)


def _write_model(request: Request, attempt: Attempt, profile: VendorProfile) -> bytes:
    return embeddings.write_request(request, model=attempt.route.model)


PATHS = {
    "chat": "/chat/completions",
    "responses": "/responses",
    "messages": "/messages",
    "count_tokens": "/messages/count_tokens",
    "embeddings": "/embeddings",
}
"""Where each dialect is spoken, below a vendor's base URL."""

_WRITE: dict[str, Callable[[Request, Attempt, VendorProfile], bytes]] = {
    "chat": _write_chat,
    "responses": _write_responses,
    "messages": _write_messages,
    "count_tokens": _write_model,
    "embeddings": _write_model,
}
