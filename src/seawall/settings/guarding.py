"""The sections of the guard: what becomes of what it sees, for everybody, and for keys and tiers."""

from collections.abc import Mapping
from typing import Any, Literal

from seawall.core.findings import Verdict
from seawall.core.guarding import INPUT_DETECTORS, OUTPUT_DETECTORS, GuardMode, GuardPolicy
from seawall.settings.sections import Section, setting
from seawall.settings.values import Names, Number, Phrase, Phrases, Text

Action = Literal["allow", "flag", "redact", "block"]
Judgement = Literal["allow", "flag", "block"]

MODES: tuple[GuardMode, ...] = ("off", "flag", "block")
SORRY = "I can't help with that request."

_IN_MODE: dict[GuardMode, dict[str, Action]] = {
    "off": {},
    "flag": {
        "input_injection": "flag",
        "input_secrets": "flag",
        "output_leak": "flag",
        "output_secrets": "flag",
        "output_markup": "flag",
    },
    "block": {
        "input_injection": "block",
        "input_secrets": "flag",
        "output_leak": "block",
        "output_secrets": "redact",
        "output_markup": "redact",
    },
}
"""What becomes of what each detector sees, where no action of its own is stated; the others are off."""


def _action(text: str) -> Any:
    return setting(f"{text} Not set means what the mode says.", default=None)


def _threshold(text: str, default: float) -> Any:
    return setting(text, default=default, gt=0, le=1)


class GuardSettings(Section):
    """What becomes of prompt injection, secrets, leaks and the like: see [The guard](guard.md).

    `allow` switches a detector off, `flag` only records, `redact` takes out what was found, `block` refuses.
    """

    mode: GuardMode = setting(
        "off looks for nothing but `block_phrases`; flag records and changes nothing; block refuses"
        " prompt injection and leaks of the app's instructions, and takes secrets and markup that runs"
        " out of answers.",
        default="flag",
    )
    on_block: Literal["error", "reply"] = setting(
        "What a blocked caller gets: the error `blocked_by_guard`, or `reply` as if the model had said it.",
        default="error",
    )
    reply: Phrase = setting("What is said in the model's place where `on_block` is reply.", default=SORRY)
    output: Literal["stream", "hold"] = setting(
        "stream checks answers as they pass and keeps back what may be the beginning of something; hold"
        " checks the whole answer before its first character is sent.",
        default="stream",
    )
    block_phrases: Phrases = setting(
        "Texts of your own that are blocked wherever they stand, in calls and answers, however they are"
        " spelled: capitals, accents, lookalike letters and invisible characters make no difference.",
        default=[],
    )
    allow: Phrases = setting(
        "Texts of your own in which nothing is found, such as an example key of your documentation; also"
        " where they stand in a longer text, in capitals or not.",
        default=[],
    )
    topics: Phrases = setting(
        "What your app is for, in your words, such as cooking and recipes; without any nothing is off-topic.",
        default=[],
    )
    topics_profile: Text | None = setting(
        "The file that `seawall guard learn` made of your own traffic, beside `topics` or in their place. A"
        " path starts at the folder where Seawall is started; profiles share the file of `guard`.",
        default=None,
    )
    harden: bool = setting(
        "Whether the app's instructions are wrapped into rules that the user's text cannot change, with a"
        " mark by which a leak is known.",
        default=False,
    )
    image_hosts: Names = setting(
        "Hosts from which answers may show images with data in their address.", default=[]
    )
    input_injection: Judgement | None = _action("Attempts to change what the app told the model.")
    input_secrets: Action | None = _action("Keys, tokens and passwords in what is asked.")
    input_personal: Action | None = _action("Mail addresses, phone, card and account numbers, national ids.")
    input_topics: Judgement | None = _action("Questions that are not about `topics`.")
    output_leak: Judgement | None = _action("The app's instructions in an answer.")
    output_secrets: Action | None = _action("Keys, tokens and passwords in an answer.")
    output_personal: Action | None = _action("The same kinds of personal data in an answer.")
    output_markup: Action | None = _action("Scripts, event handlers, images that carry data away.")
    output_topics: Judgement | None = _action("Answers that are not about `topics`.")
    user_threshold: Number = _threshold("The score from which a person's text counts as injection.", 0.5)
    document_threshold: Number = _threshold(
        "The same for texts of tools, documents and mails that a model is given.", 0.5
    )
    leak_threshold: Number = _threshold("The share of the instructions from which an answer leaks them.", 0.2)
    topics_threshold: Number = _threshold("The score from which a text is off-topic.", 0.6)

    def policy(self) -> GuardPolicy:
        """Return the section in the words of the pipeline."""
        if self.mode == "off":
            return GuardPolicy.of(
                mode="off",
                block_phrases=tuple(self.block_phrases),
                reply=self.reply if self.on_block == "reply" else None,
                holds=self.output == "hold",
            )
        return GuardPolicy.of(
            mode=self.mode,
            input={each: self._verdict(f"input_{each}") for each in INPUT_DETECTORS},
            output={each: self._verdict(f"output_{each}") for each in OUTPUT_DETECTORS},
            user_threshold=self.user_threshold,
            document_threshold=self.document_threshold,
            leak_threshold=self.leak_threshold,
            topics_threshold=self.topics_threshold,
            block_phrases=tuple(self.block_phrases),
            allow=tuple(self.allow),
            reply=self.reply if self.on_block == "reply" else None,
            holds=self.output == "hold",
            hardens=self.harden,
            topics=tuple(self.topics),
            image_hosts=frozenset(host.lower() for host in self.image_hosts),
        )

    def _verdict(self, name: str) -> int:
        action: str = getattr(self, name) or _IN_MODE[self.mode].get(name, "allow")
        has_topics = bool(self.topics or self.topics_profile)
        if name.endswith("_topics") and getattr(self, name) is None and has_topics:
            action = "flag"
        return Verdict[action.upper()].value


class GuardProfileSettings(GuardSettings):
    """Another guard, for the keys and tiers that name it. What is not set is as under `guard`.

    NAME is yours to choose. `off`, `flag` and `block` are there already: `guard` in that mode.
    """


def guards_of(house: GuardSettings, profiles: Mapping[str, GuardProfileSettings]) -> dict[str, GuardPolicy]:
    """Return the guard of each profile by name, that of everybody under ""."""
    stated = {name: getattr(house, name) for name in house.model_fields_set}
    guards = {"": house.policy()}
    for mode in MODES:
        guards[mode] = house.model_copy(update={"mode": mode}).policy()
    for name, profile in profiles.items():
        own = {field: getattr(profile, field) for field in profile.model_fields_set}
        guards[name] = house.model_copy(update={**stated, **own}).policy()
    return guards
