"""One object of a request, its fields taken one by one: what is left has no translation."""

from typing import Any

from seawall.core.errors import InvalidRequest, Untranslatable
from seawall.wire.prompt import CacheMark


class Fields:
    """The fields of one object that say something: a null says no more than leaving it out.

    Take every field that is understood, then call `end`: it refuses the first that is left, by its path.
    """

    __slots__ = ("_left", "path")

    def __init__(self, value: Any, path: str) -> None:
        if not isinstance(value, dict):
            raise InvalidRequest(f"{path} must be an object.", param=path)
        self.path = path
        self._left = {name: each for name, each in value.items() if each is not None}

    def at(self, name: str) -> str:
        """Return the path of a field."""
        return f"{self.path}.{name}" if self.path else name

    def take(self, name: str) -> Any:
        """Return a field of any type, `None` where it is missing."""
        return self._left.pop(name, None)

    def text(self, name: str) -> str | None:
        """Return a text, `None` where it is missing; raises InvalidRequest for anything else."""
        value = self.take(name)
        if value is not None and not isinstance(value, str):
            raise InvalidRequest(f"{self.at(name)} must be a text.", param=self.at(name))
        return value

    def needed_text(self, name: str) -> str:
        """Return a text; raises InvalidRequest where there is none."""
        value = self.text(name)
        if value is None:
            raise InvalidRequest(f"{self.at(name)} is missing.", param=self.at(name))
        return value

    def boolean(self, name: str) -> bool | None:
        """Return true or false, `None` where it is missing; raises InvalidRequest for anything else."""
        value = self.take(name)
        if value is not None and not isinstance(value, bool):
            raise InvalidRequest(f"{self.at(name)} must be true or false.", param=self.at(name))
        return value

    def whole(self, name: str) -> int | None:
        """Return a whole number, `None` where it is missing; raises InvalidRequest for anything else."""
        value = self.take(name)
        if isinstance(value, float) and value.is_integer():
            return int(value)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
            raise InvalidRequest(f"{self.at(name)} must be a whole number.", param=self.at(name))
        return value

    def objects(self, name: str) -> list["Fields"]:
        """Return a list of objects, an empty one where it is missing."""
        value = self.take(name)
        if value is None:
            return []
        if not isinstance(value, list):
            raise InvalidRequest(f"{self.at(name)} must be a list.", param=self.at(name))
        return [Fields(each, f"{self.at(name)}[{index}]") for index, each in enumerate(value)]

    def inner(self, name: str) -> "Fields":
        """Return an object within; raises InvalidRequest where there is none."""
        return Fields(self.take(name), self.at(name))

    def schema(self, name: str) -> dict[str, Any] | None:
        """Return an object as it is, `None` where it is missing; raises InvalidRequest for anything else."""
        value = self.take(name)
        if value is not None and not isinstance(value, dict):
            raise InvalidRequest(f"{self.at(name)} must be an object.", param=self.at(name))
        return value

    def cache(self) -> CacheMark | None:
        """Return what `cache_control` says, which gateways have in common for caching with Anthropic."""
        if "cache_control" not in self._left:
            return None
        control = self.inner("cache_control")
        kind = control.needed_text("type")
        if kind != "ephemeral":
            raise unknown(control.at("type"))
        mark = CacheMark(control.text("ttl"))
        control.end()
        return mark

    def rest(self) -> dict[str, Any]:
        """Return the fields that were not taken."""
        rest, self._left = self._left, {}
        return rest

    def end(self) -> None:
        """Raise Untranslatable for the first field that nobody has taken; an empty list says nothing."""
        for name, value in self._left.items():
            if value != []:
                raise unknown(self.at(name))


def unknown(path: str) -> Untranslatable:
    """Return the refusal of something that the translation does not know."""
    return Untranslatable(
        f"{path} is not known here, so it cannot be said to this model, which is reached in another dialect. "
        "Leave it out.",
        param=path,
    )
