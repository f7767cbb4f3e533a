"""What people say of the answers they got."""

from collections.abc import Callable

from openapi.errors import errors
from openapi.shapes import (
    Json,
    answer,
    body,
    choice,
    closed,
    in_path,
    many,
    maybe,
    moment,
    query,
    ref,
    text,
    whole,
    whole_of,
)
from seawall.core.feedback import COMMENT_CHARS_MAX
from seawall.server.admin_feedback import DAYS_DEFAULT, DAYS_MAX, LISTED_DEFAULT, LISTED_MAX, RATINGS
from seawall.server.credentials import END_USER_CHARS_MAX

_rating = choice(*RATINGS)
_comment = maybe(text("Without secrets and control characters."))
Operation = Callable[..., Json]


def feedback_schemas() -> Json:
    """Return what is said, what is kept of it, and the sums."""
    return {
        "Feedback": closed(
            {
                "rating": _rating,
                "comment": maybe(text(maxLength=COMMENT_CHARS_MAX)),
                "user": maybe(
                    text("The end user of the call; as `seawall-user`.", maxLength=END_USER_CHARS_MAX)
                ),
            },
            needs=("rating",),
        ),
        "KeptFeedback": whole_of(
            {"id": text("The id of the call."), "object": text(const="feedback")}
            | {"rating": _rating, "comment": _comment}
        ),
        "FeedbackPage": whole_of(
            {
                "data": many(
                    whole_of(
                        {
                            "call_id": text(),
                            "at": moment(),
                            "key_id": text(),
                            "end_user": maybe(text()),
                            "model": text(),
                            "rating": _rating,
                            "comment": _comment,
                        }
                    )
                ),
                "days": whole("How far `ratings` look back."),
                "ratings": many(whole_of({"model": text(), "up": whole(), "down": whole()})),
            }
        ),
    }


def feedback_paths() -> Json:
    """Return the operation of callers."""
    return {
        "/v1/calls/{id}/feedback": {
            "post": {
                "operationId": "sayFeedback",
                "summary": "Rate the answer of an own call; the newest word counts",
                "tags": ["Feedback"],
                "security": [{"virtualKey": []}, {"virtualKeyHeader": []}],
                "parameters": [
                    in_path("id", "The id of a call: `x-request-id` of its answer."),
                    {"$ref": "#/components/parameters/seawall-user"},
                ],
                "requestBody": body(ref("Feedback")),
                "responses": {
                    "200": answer("It is kept.", ref("KeptFeedback")),
                    **errors(401, 403, 404, 413, 429),
                },
            }
        }
    }


def feedback_admin_paths(operation: Operation) -> Json:
    """Return the operation of the operator."""
    parameters = [
        query("rating", _rating, "Only these."),
        query("before", text(), "Only what was said before that of the call with this id."),
        query("limit", whole(minimum=1, maximum=LISTED_MAX, default=LISTED_DEFAULT), "How many."),
        query(
            "days", whole(minimum=1, maximum=DAYS_MAX, default=DAYS_DEFAULT), "How far `ratings` look back."
        ),
    ]
    page = answer("A page.", ref("FeedbackPage"))
    return {
        "/feedback": {
            "get": operation("listFeedback", "What people say, the newest first", page, parameters=parameters)
        }
    }
