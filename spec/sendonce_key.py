#!/usr/bin/env python3
"""The idempotency key of sendonce, as key.md specifies it. Python 3.8 or later, no dependencies.

    from sendonce_key import derive_key
    derive_key(["delivery-notice", 1042, "ada@example.org"])

    echo '["delivery-notice", 1042, "ada@example.org"]' | python3 sendonce_key.py -   # prints the key
    python3 sendonce_key.py key-vectors.json                                          # checks all vectors
"""

import base64
import hashlib
import json
import math
import re
import sys

DEEPEST = 100


class KeyRefused(ValueError):
    """A value cannot be part of a key. Names the path to it, never the value."""

    def __init__(self, path, why):
        super().__init__('"%s" %s' % (path, why))
        self.path = path
        self.why = why


def derive_key(selected, *, occurrence=None, iteration=None):
    """The key of an email: 22 characters. Raises KeyRefused.

    occurrence: what tells an email that is scheduled again on purpose from the earlier one.
    iteration: the id of the job, where a BullMQ job scheduler made it.
    """
    return _key_of(canonical_json(key_source(selected, occurrence, iteration)))


def key_source(selected, occurrence=None, iteration=None):
    """What a key is derived from."""
    if occurrence is not None:
        return [selected, {"occurrence": occurrence}]
    if iteration is not None:
        return [selected, iteration]
    return selected


def canonical_json(value):
    """The canonical JSON of a value that may be a key. Raises KeyRefused."""
    return _text(value, "key", set())


def redis_places(key, prefix="sendonce"):
    """Where Redis has the record of a key, and the index of its shard."""
    shard = "%s:{%s}" % (prefix, key[0])
    return shard + key[1:], shard + ":open"


def parse(text):
    """Reads JSON as JSON.parse of JavaScript does: numbers are doubles, whatever their spelling."""
    return json.loads(text, parse_int=_integer, parse_constant=_no_json)


def _key_of(canonical):
    digest = hashlib.sha256(canonical.encode("utf-8")).digest()
    return base64.urlsafe_b64encode(digest[:16]).decode("ascii").rstrip("=")


def _text(value, path, above):
    # Before int: a bool of Python is one.
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _string(value, path)
    if isinstance(value, (int, float)):
        return _number(value, path)
    if isinstance(value, (list, tuple, dict)):
        if id(value) in above:
            raise KeyRefused(path, "contains itself")
        if len(above) == DEEPEST:
            raise KeyRefused(path, "is nested more than %d levels deep" % DEEPEST)
        above.add(id(value))
        text = _object(value, path, above) if isinstance(value, dict) else _array(value, path, above)
        above.remove(id(value))
        return text
    if value is None:
        raise KeyRefused(path, "is null")
    raise KeyRefused(path, "is a value of type %s (convert it to a string)" % type(value).__name__)


def _array(items, path, above):
    if not items:
        raise KeyRefused(path, "is an empty array")
    parts = [_text(item, "%s[%d]" % (path, index), above) for index, item in enumerate(items)]
    return "[%s]" % ",".join(parts)


def _object(properties, path, above):
    if not properties:
        raise KeyRefused(path, "is an empty object")
    for name in properties:
        if not isinstance(name, str):
            raise KeyRefused(path, "has a property name that is not a string")
        if not _is_well_formed(name):
            raise KeyRefused(path, "has a property name that is not well-formed Unicode")
    parts = {name: _text(part, "%s.%s" % (path, _shown(name)), above) for name, part in properties.items()}
    # By UTF-16 code units: an astral character comes before U+E000 to U+FFFF.
    names = sorted(parts, key=lambda name: name.encode("utf-16-be"))
    return "{%s}" % ",".join("%s:%s" % (_quoted(name), parts[name]) for name in names)


def _shown(name):
    # One that is no identifier could be an address.
    return name if re.match(r"[A-Za-z0-9_$-]{1,64}\Z", name) else "?"


def _string(text, path):
    if text == "":
        raise KeyRefused(path, "is an empty string")
    if not _is_well_formed(text):
        raise KeyRefused(path, "is not well-formed Unicode (a lone surrogate)")
    return _quoted(text)


def _quoted(text):
    # Escapes what RFC 8785 wants escaped, in the same way, and nothing else.
    return json.dumps(text, ensure_ascii=False)


def _is_well_formed(text):
    return not any("\ud800" <= character <= "\udfff" for character in text)


def _number(value, path):
    try:
        number = float(value)
    except OverflowError:
        raise KeyRefused(path, "is an integer beyond 2^53 - 1 (convert it to a string)") from None
    if math.isnan(number):
        raise KeyRefused(path, "is NaN")
    if math.isinf(number):
        raise KeyRefused(path, "is Infinity" if number > 0 else "is -Infinity")
    # JavaScript would have rounded it without a word, and two emails could get one key.
    if number.is_integer() and abs(number) > 2**53 - 1:
        raise KeyRefused(path, "is an integer beyond 2^53 - 1 (convert it to a string)")
    return _javascript_number(number)


def _javascript_number(number):
    """Number::toString of ECMAScript. Python finds the same shortest digits and sets them otherwise."""
    if number == 0:
        return "0"
    sign = "-" if number < 0 else ""
    mantissa, _, exponent = repr(abs(number)).partition("e")
    whole, _, fraction = mantissa.partition(".")
    digits = (whole + fraction).lstrip("0")
    # The number is 0.DIGITS times ten to the power of `point`.
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    count = len(digits)
    if count <= point <= 21:
        return sign + digits + "0" * (point - count)
    if 0 < point <= 21:
        return sign + digits[:point] + "." + digits[point:]
    if -6 < point <= 0:
        return sign + "0." + "0" * -point + digits
    mantissa = digits if count == 1 else digits[0] + "." + digits[1:]
    return "%s%se%+d" % (sign, mantissa, point - 1)


def _integer(text):
    number = float(text)
    return int(number) if math.isfinite(number) else number


def _no_json(_name):
    raise ValueError("no JSON")


def _check_vectors(path):
    """Computes all vectors. Returns what differs first, or None and how many agree."""
    with open(path, "rb") as file:
        vectors = parse(file.read().decode("utf-8"))
    count = 0
    for vector in vectors["keys"] + vectors["refused"]:
        value = parse(vector["json"]) if "json" in vector else vector["selected"]
        source = key_source(value, vector.get("occurrence"), vector.get("iteration"))
        found = _outcome(source)
        wanted = {name: vector[name] for name in ("canonical", "sha256", "key", "path") if name in vector}
        for name in wanted:
            if found.get(name) != wanted[name]:
                return "%s: %s is %a, expected %a" % (vector["name"], name, found.get(name), wanted[name]), count
        count += 1
    for place in vectors.get("places", []):
        if redis_places(place["key"], place["prefix"]) != (place["record"], place["index"]):
            return "places of %s with prefix %s" % (place["key"], place["prefix"]), count
        count += 1
    return None, count


def _outcome(source):
    try:
        canonical = canonical_json(source)
    except KeyRefused as refused:
        return {"path": refused.path}
    sha256 = hashlib.sha256(canonical.encode("utf-8")).hexdigest()
    return {"canonical": canonical, "sha256": sha256, "key": _key_of(canonical)}


def main(arguments):
    if len(arguments) != 1:
        print("usage: sendonce_key.py - | sendonce_key.py key-vectors.json", file=sys.stderr)
        return 2
    if arguments[0] != "-":
        difference, count = _check_vectors(arguments[0])
        print("%d agree" % count if difference is None else "differs: " + difference)
        return 0 if difference is None else 1
    try:
        print(derive_key(parse(sys.stdin.buffer.read().decode("utf-8"))))
        return 0
    except KeyRefused as refused:
        print("refused: %s" % refused, file=sys.stderr)
    except (ValueError, RecursionError):
        # Their own message could show a piece of the input.
        print("refused: the input is not JSON in UTF-8", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
