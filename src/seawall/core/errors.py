"""Everything a caller can be told, one class and one code each.

SeawallError                      500 internal_error
├── Refusal                       the caller can change something
│   ├── Unauthenticated           401 invalid_api_key
│   ├── NotAllowed                403 not_allowed
│   │   ├── ModelNotAllowed       403 model_not_allowed
│   │   ├── OriginNotAllowed      403 origin_not_allowed
│   │   └── UserBlocked           403 user_blocked
│   ├── RateLimited               429 rate_limit_exceeded + Retry-After
│   ├── QuotaExhausted            429 quota_exhausted     x-should-retry: false
│   ├── LoopDetected              429 loop_detected       x-should-retry: false
│   ├── BudgetBusy                429 budget_busy         + Retry-After
│   ├── BudgetExhausted           402 budget_exhausted
│   ├── UnpricedModel             402 unpriced_model
│   ├── UnknownModel              404 model_not_found
│   ├── UnknownRoute              404 not_found
│   ├── TooManyJobs               429 too_many_jobs       + Retry-After
│   ├── ResponseNotFound          404 response_not_found
│   ├── JobNotFound               404 job_not_found
│   ├── WrongMethod               405 method_not_allowed
│   ├── Conflict                  409 conflict
│   │   └── KeyReused             409 idempotency_key_reused
│   ├── TooSlow                   408 request_timeout
│   ├── TooLarge                  413 request_too_large
│   ├── Blocked                   400 blocked_by_guard
│   └── InvalidRequest            400 invalid_request
│       ├── UnpricedField         400 unpriced_field
│       ├── Untranslatable        400 untranslatable
│       ├── NotYetSupported       400 not_yet_supported
│       └── StateNotFound         400 previous_response_not_found
├── UpstreamError                 the provider's side of the call
│   ├── UpstreamRefused           the vendor's own status and code
│   ├── ProviderCredentials       502 provider_credentials
│   ├── UpstreamUnavailable       502 upstream_unavailable
│   └── UpstreamTimeout           504 upstream_timeout
├── Overloaded                    503 overloaded          + Retry-After
└── ClientGone                    nobody is listening any more; never sent

The docstring of a class is its default message: what happened, which rule, what to do next.
Messages never hold a secret, prompt, path or address; `private` goes to the log only.
"""

from typing import ClassVar

from msgspec import Struct


class Facts(Struct, frozen=True, omit_defaults=True):
    """The figures behind a refusal, for programs; only of the caller's own scopes.

    `rule` is the setting that says so, `scope` whose it is ("key", "user", "address", "gateway"). Amounts are
    whole numbers of `unit`, or decimal strings of dollars. `resets_at` is ISO 8601. `say` is a sentence for
    the person in front of the app.
    """

    rule: str
    scope: str
    unit: str = ""
    used: int | str | None = None
    held: int | str | None = None
    allowed: int | str | None = None
    resets_at: str | None = None
    upgrade_url: str | None = None
    say: str | None = None


class SeawallError(Exception):
    """Something went wrong inside Seawall; the call was stopped. Quote the call id when you report it."""

    code: ClassVar[str] = "internal_error"
    status: ClassVar[int] = 500
    kind: ClassVar[str] = "server_error"
    outcome: ClassVar[str] = "failed"

    def __init__(
        self,
        message: str | None = None,
        *,
        param: str | None = None,
        retry_after_s: float | None = None,
        private: str | None = None,
        facts: Facts | None = None,
    ) -> None:
        self.message = message or " ".join((type(self).__doc__ or "").split())
        self.param = param
        self.retry_after_s = retry_after_s
        self.private = private
        self.facts = facts
        super().__init__(self.message)

    @property
    def wire_status(self) -> int:
        """Return the HTTP status that the caller sees."""
        return self.status

    @property
    def wire_code(self) -> str:
        """Return the machine-readable code that the caller sees."""
        return self.code

    @property
    def wire_kind(self) -> str:
        """Return the coarse type of the error, in OpenAI's words."""
        return self.kind

    @property
    def should_retry(self) -> bool | None:
        """Tell client libraries whether to try again; `None` leaves it to the status."""
        return None


class Refusal(SeawallError):
    """The request was refused; the caller can change something."""

    code = "refused"
    status = 400
    kind = "invalid_request_error"
    outcome = "refused"


class Unauthenticated(Refusal):
    """The API key is missing, unknown, expired or revoked. Send a Seawall key (sw-...) as a bearer token;
    the operator of this gateway makes one with `seawall keys create`.
    """

    code = "invalid_api_key"
    status = 401
    kind = "authentication_error"


class NotAllowed(Refusal):
    """This key may not do that. Ask the operator of this gateway for a key that may."""

    code = "not_allowed"
    status = 403
    kind = "permission_error"


class ModelNotAllowed(NotAllowed):
    """This key may not use that model. GET /v1/models lists the ones it may use."""

    code = "model_not_allowed"


class OriginNotAllowed(NotAllowed):
    """This key may not be used from that web page. The operator of this gateway lists the pages it is for."""

    code = "origin_not_allowed"


class UserBlocked(NotAllowed):
    """This user has been blocked. The operator of this gateway can lift it."""

    code = "user_blocked"


class Blocked(Refusal):
    """The guard of this gateway stopped the call. Write it in other words; if it was harmless, tell the
    operator of this gateway the call id.
    """

    code = "blocked_by_guard"
    kind = "content_filter_error"
    reply: str | None = None

    @property
    def wire_status(self) -> int:
        """Return 200 where a reply in the model's place is what the caller gets."""
        return self.status if self.reply is None else 200

    @property
    def should_retry(self) -> bool | None:
        """The same text would be stopped again."""
        return False


class RateLimited(Refusal):
    """Too many calls in too short a time. Wait for the seconds in Retry-After, then try again."""

    code = "rate_limit_exceeded"
    status = 429
    kind = "rate_limit_error"


class QuotaExhausted(Refusal):
    """The quota of this user is used up. It opens again with the next period, or with another tier."""

    code = "quota_exhausted"
    status = 429
    kind = "quota_error"

    @property
    def should_retry(self) -> bool | None:
        """Trying again cannot help before the period ends or the tier changes."""
        return False


class LoopDetected(Refusal):
    """The same call came again and again, as from a program that is caught in a loop. Look for the loop
    before you go on.
    """

    code = "loop_detected"
    status = 429
    kind = "loop_error"

    @property
    def should_retry(self) -> bool | None:
        """Trying again is what is wrong."""
        return False


class BudgetBusy(Refusal):
    """The rest of the budget is held for calls that are still running. Try again in a moment."""

    code = "budget_busy"
    status = 429
    kind = "rate_limit_error"


class TooManyJobs(Refusal):
    """Too many jobs are waiting already. Try again when some of them are done."""

    code = "too_many_jobs"
    status = 429
    kind = "rate_limit_error"


class BudgetExhausted(Refusal):
    """The budget is spent. It opens again with the next period, or when the operator raises it."""

    code = "budget_exhausted"
    status = 402
    kind = "budget_error"

    @property
    def should_retry(self) -> bool | None:
        """Trying again cannot help before the period ends."""
        return False


class UnpricedModel(Refusal):
    """The price of this model is not known, so its cost cannot be bounded. The operator can state it under
    [prices] in seawall.toml.
    """

    code = "unpriced_model"
    status = 402
    kind = "budget_error"

    @property
    def should_retry(self) -> bool | None:
        """Trying again cannot help before a price is stated."""
        return False


class UnknownModel(Refusal):
    """No provider here serves that model. GET /v1/models lists what there is."""

    code = "model_not_found"
    status = 404


class UnknownRoute(Refusal):
    """There is nothing at this address. Does your base URL end in /v1?"""

    code = "not_found"
    status = 404


class ResponseNotFound(Refusal):
    """There is no stored response with this id for this key and end user. It may have expired or been
    deleted, or it was never stored.
    """

    code = "response_not_found"
    status = 404


class JobNotFound(Refusal):
    """There is no job with this id for this key and end user. It may have expired or been deleted."""

    code = "job_not_found"
    status = 404


class WrongMethod(Refusal):
    """This address does not answer that HTTP method."""

    code = "method_not_allowed"
    status = 405


class Conflict(Refusal):
    """That cannot be done now, because something else is still under way. Try again in a moment."""

    code = "conflict"
    status = 409


class KeyReused(Conflict):
    """This idempotency key was used before, for another request. Use a new key for each request."""

    code = "idempotency_key_reused"

    @property
    def should_retry(self) -> bool | None:
        """The same request would meet the same key."""
        return False


class TooSlow(Refusal):
    """The request took too long to arrive. Send it again over a better connection."""

    code = "request_timeout"
    status = 408


class TooLarge(Refusal):
    """The request is larger than this gateway accepts. Send less, or ask the operator to raise the limit."""

    code = "request_too_large"
    status = 413


class InvalidRequest(Refusal):
    """The request could not be read. The named field says where."""

    code = "invalid_request"


class UnpricedField(InvalidRequest):
    """This field can change the price in a way that cannot be bounded, so it is refused. Leave it out."""

    code = "unpriced_field"


class Untranslatable(InvalidRequest):
    """The model that was asked for is reached in another dialect, which has no words for this field. Leave
    the named field out, or choose a model that is reached in your own dialect.
    """

    code = "untranslatable"


class StateNotFound(InvalidRequest):
    """There is no stored response of that id for this key and end user. It may have expired or been deleted;
    send the whole conversation instead.
    """

    code = "previous_response_not_found"


class NotYetSupported(InvalidRequest):
    """This version does not support that yet. Leave the named field out."""

    code = "not_yet_supported"


class VendorError(Struct, frozen=True):
    """What a vendor said of an error, redacted."""

    message: str | None = None
    kind: str | None = None
    code: str | None = None
    param: str | None = None


class UpstreamError(SeawallError):
    """The provider did not answer as it should."""

    code = "upstream_error"
    status = 502
    kind = "upstream_error"


class UpstreamRefused(UpstreamError):
    """The provider refused the request."""

    code = "upstream_refused"
    status = 400

    def __init__(
        self, status: int, vendor: "VendorError", *, retry_after_s: float | None, private: str
    ) -> None:
        message = vendor.message or f"The provider refused the request with status {status}."
        super().__init__(message, param=vendor.param, retry_after_s=retry_after_s, private=private)
        self.vendor_status = status
        self.vendor = vendor

    @property
    def wire_status(self) -> int:
        """Return the vendor's own status."""
        return self.vendor_status

    @property
    def wire_code(self) -> str:
        """Return the vendor's own code where it gave one."""
        return self.vendor.code or self.code

    @property
    def wire_kind(self) -> str:
        """Return the vendor's own type where it gave one."""
        return self.vendor.kind or self.kind


class ProviderCredentials(UpstreamError):
    """The provider did not accept this gateway's own account. That is not your key's fault: the operator
    has to look at the provider's key or balance.
    """

    code = "provider_credentials"

    @property
    def should_retry(self) -> bool | None:
        """Trying again cannot help before the operator has acted."""
        return False


class UpstreamUnavailable(UpstreamError):
    """The provider is not answering properly. Try again later."""

    code = "upstream_unavailable"

    def __init__(
        self,
        message: str | None = None,
        *,
        vendor_status: int | None = None,
        vendor_code: str | None = None,
        param: str | None = None,
        retry_after_s: float | None = None,
        private: str | None = None,
    ) -> None:
        super().__init__(message, param=param, retry_after_s=retry_after_s, private=private)
        self.vendor_status = vendor_status
        self.vendor_code = vendor_code

    @property
    def wire_status(self) -> int:
        """Return the vendor's own status where it means "overloaded", by which client libraries know it."""
        return 529 if self.vendor_status == 529 else self.status

    @property
    def wire_code(self) -> str:
        """Return the vendor's own code where it gave one."""
        return self.vendor_code or self.code


class UpstreamTimeout(UpstreamError):
    """The provider took too long. Try again, or ask for a shorter answer."""

    code = "upstream_timeout"
    status = 504

    @property
    def should_retry(self) -> bool | None:
        """The provider may bill the call that took too long; three of them are no better."""
        return False


class Overloaded(SeawallError):
    """This gateway cannot take the call right now. Try again in a moment."""

    code = "overloaded"
    status = 503


class ClientGone(SeawallError):
    """The client left before the answer was complete."""

    code = "client_gone"
    status = 499
    outcome = "left"
