"""What only Python can say: run by key-vectors.test.ts with the module on its path."""

import collections
import datetime
import decimal
import enum

from sendonce_key import KeyRefused, canonical_json, derive_key


class Kind(str, enum.Enum):
    NOTICE = "delivery-notice"


class Priority(enum.IntEnum):
    HIGH = 2


class OddFloat(float):
    def __repr__(self):
        return "odd"


circle = {"a": 1}
circle["self"] = circle

refused = [
    (None, "key", "is null"),
    (["secret", None], "key[1]", "is null"),
    ([float("nan")], "key[0]", "is NaN"),
    ({"n": float("-inf")}, "key.n", "is -Infinity"),
    ([2**53 + 1], "key[0]", "is an integer beyond 2^53 - 1 (convert it to a string)"),
    ([-(2**63) - 1], "key[0]", "is an integer beyond 2^53 - 1 (convert it to a string)"),
    ([1e21], "key[0]", "is an integer beyond 2^53 - 1 (convert it to a string)"),
    ([10**400], "key[0]", "is an integer beyond 2^53 - 1 (convert it to a string)"),
    ([datetime.date(2024, 4, 17)], "key[0]", "is a value of type date (convert it to a string)"),
    ([decimal.Decimal("7")], "key[0]", "is a value of type Decimal (convert it to a string)"),
    ([b"secret"], "key[0]", "is a value of type bytes (convert it to a string)"),
    ([{"secret"}], "key[0]", "is a value of type set (convert it to a string)"),
    ({"a": {7: "secret"}}, "key.a", "has a property name that is not a string"),
    (["\ud83d\ude00"], "key[0]", "is not well-formed Unicode (a lone surrogate)"),
    (circle, "key.self", "contains itself"),
    ((), "key", "is an empty array"),
]
for value, path, why in refused:
    try:
        derive_key(value)
    except KeyRefused as error:
        assert (error.path, error.why) == (path, why), (path, error.path, error.why)
        assert "secret" not in str(error)
    else:
        raise AssertionError("%s was not refused: %s" % (path, why))

deep = ["a"]
for _ in range(100_000):
    deep = [deep]
try:
    derive_key(deep)
except KeyRefused as error:
    assert error.why == "is nested more than 100 levels deep"

accepted = [
    (("a", 1), '["a",1]'),
    ([Kind.NOTICE, Priority.HIGH], '["delivery-notice",2]'),
    ([OddFloat(0.1), 7.0, -0.0, 2**53 - 1, 1e-7], "[0.1,7,0,9007199254740991,1e-7]"),
    (collections.OrderedDict([("b", True), ("a", 1)]), '{"a":1,"b":true}'),
]
for value, text in accepted:
    assert canonical_json(value) == text, canonical_json(value)

same = ["x"]
assert canonical_json([same, same]) == '[["x"],["x"]]'
assert derive_key("a", occurrence=0) == derive_key(["a", {"occurrence": 0}])
assert derive_key("a", iteration="i") == derive_key(["a", "i"])
print("good")
