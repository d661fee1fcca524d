"""Types of run-time classical values and the arithmetic on them, as OpenQASM 3 defines it.

A value is a plain Python bool, int or float beside its `ClassicalType`; an angle is a float in radians,
in [0, 2 pi). Sized integers wrap around. The width of ``int`` without a size is not promised by
OpenQASM, so its overflow (beyond 64 bits) is an error here and never a wrapped value.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from qsim.errors import ArgumentError

__all__ = [
    "ClassicalType",
    "Value",
    "binary_type",
    "binary_value",
    "call",
    "convert",
    "unary_type",
    "unary_value",
]

Value = bool | int | float
KINDS = ("bool", "bit", "int", "uint", "float", "angle")
ARITHMETIC = ("+", "-", "*", "/", "%", "**")
COMPARISONS = ("==", "!=", "<", "<=", ">", ">=")
BITWISE = ("&", "|", "^")
SHIFTS = ("<<", ">>")
LOGICAL = ("&&", "||")
BINARY_OPERATORS = frozenset((*ARITHMETIC, *COMPARISONS, *BITWISE, *SHIFTS, *LOGICAL, "[]"))
UNARY_OPERATORS = frozenset(("-", "~", "!"))

TAU = 2 * math.pi
_MACHINE_BITS = 64
_MAX_INTEGER_BITS = 4096


@dataclass(frozen=True, slots=True)
class ClassicalType:
    """Kind and size of a classical value; a size of None is the kind without brackets."""

    kind: str
    size: int | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ArgumentError(f"A classical type must be one of {', '.join(KINDS)}, but is {self.kind!r}.")
        size = self.size
        if size is None:
            return
        if isinstance(size, bool) or not isinstance(size, int):
            raise TypeError(f"The size of a classical type must be an int, but is {type(size).__name__}.")
        if self.kind == "bool":
            raise ArgumentError("A bool has no size; use bit[n] for several bits.")
        if self.kind == "float" and size not in (16, 32, 64):
            raise ArgumentError(f"A float must have 16, 32 or 64 bits, but has {size}.")
        limit = {"angle": 64, "int": _MAX_INTEGER_BITS, "uint": _MAX_INTEGER_BITS}.get(self.kind, 1 << 24)
        if not 1 <= size <= limit:
            raise ArgumentError(f"The size of `{self.kind}` must be 1 to {limit}, but is {size}.")

    def __str__(self) -> str:
        return self.kind if self.size is None else f"{self.kind}[{self.size}]"

    @property
    def is_integer(self) -> bool:
        return self.kind in ("int", "uint")

    @property
    def width(self) -> int:
        """Bits of an integer or bit type."""
        return self.size or (1 if self.kind == "bit" else _MACHINE_BITS)


@lru_cache(maxsize=4096)
def classical_type(kind: str, size: int | None = None) -> ClassicalType:
    """A type; the same object each time, since expressions ask for it all the time."""
    return ClassicalType(kind, size)


BOOL, BIT, INT, UINT, FLOAT, ANGLE = (
    ClassicalType(kind) for kind in ("bool", "bit", "int", "uint", "float", "angle")
)


# -- conversions -----------------------------------------------------------------------------------
def wrap(value: int, target: ClassicalType) -> int:
    """An integer brought into the range of an int, uint or bit type."""
    width = target.width
    if target.kind == "int":
        if target.size is None:
            if not -(1 << 63) <= value < 1 << 63:
                raise ArgumentError(
                    "An int without a size has 64 bits and overflows here; give it a size, e.g. int[128]."
                )
            return value
        half = 1 << (width - 1)
        return ((value + half) & ((1 << width) - 1)) - half
    return value & ((1 << width) - 1)


def to_ticks(radians: float, size: int) -> int:
    """The bit pattern of an angle[size]: the nearest multiple of 2 pi / 2**size, ties to even."""
    return round(math.fmod(radians, TAU) / TAU * 2.0**size) & ((1 << size) - 1)


def from_ticks(ticks: int, size: int) -> float:
    return (ticks & ((1 << size) - 1)) / 2.0**size * TAU


def _as_angle(radians: float, size: int | None) -> float:
    if size is not None:
        return from_ticks(to_ticks(radians, size), size)
    wrapped = math.fmod(radians, TAU)
    if wrapped < 0.0:
        wrapped += TAU
    return 0.0 if wrapped >= TAU else wrapped


def _as_float(value: float, size: int | None) -> float:
    if not math.isfinite(value):
        raise ArgumentError(f"A classical float must be finite, but is {value}.")
    if size in (16, 32):
        import struct

        code = "<e" if size == 16 else "<f"
        try:
            return float(struct.unpack(code, struct.pack(code, value))[0])
        except OverflowError:
            raise ArgumentError(f"Value {value!r} is too large for float[{size}].") from None
    return value


def convert(value: Value, source: ClassicalType, target: ClassicalType) -> Value:
    """A value as another type.

    Raises
    ------
    ArgumentError
        If OpenQASM 3 has no such cast, or the value does not fit.
    """
    if source == target:
        return value
    kind = target.kind
    if kind == "bool":
        return value != 0
    if kind in ("int", "uint"):
        if source.kind == "angle":
            raise _no_cast(source, target)
        return wrap(int(value), target)
    if kind == "float":
        return _as_float(float(value), target.size)
    if kind == "bit":
        if source.kind == "float":
            raise _no_cast(source, target)
        if source.kind == "angle":
            if source.size is None or target.size is None:
                raise _no_cast(source, target)
            return to_ticks(value, source.size) & ((1 << target.size) - 1)
        if target.size is None and source.kind != "bool":
            # one bit has no pattern to copy: the value must be 0 or 1 or the user is told
            if value not in (0, 1):
                raise ArgumentError(f"A bit must be 0 or 1, but is {value}.")
            return int(value)
        return wrap(int(value), target)
    # angle
    if source.kind == "bit" and source.size is not None and target.size is not None:
        if source.size != target.size:
            raise _no_cast(source, target)
        return from_ticks(int(value), target.size)
    return _as_angle(float(value), target.size)


def check_cast(source: ClassicalType, target: ClassicalType) -> None:
    """Refuse a cast that no value could make."""
    wrong = (
        (source.kind == "angle" and target.is_integer)
        or (source.kind == "float" and target.kind == "bit")
        or (
            source.kind == "angle"
            and target.kind == "bit"
            and (source.size is None or source.size != target.size)
        )
        or (
            source.kind == target.kind == "bit"
            and None not in (source.size, target.size)
            and source != target
        )
        or (source.kind == "bit" and target.kind == "angle" and (source.size or 0) != (target.size or 0))
    )
    if wrong:
        raise _no_cast(source, target)


def _no_cast(source: ClassicalType, target: ClassicalType) -> ArgumentError:
    return ArgumentError(f"A value of type {source} cannot be cast to {target}.")


# -- operators -------------------------------------------------------------------------------------
def unary_type(op: str, operand: ClassicalType) -> ClassicalType:
    """Type of ``op x``."""
    if op == "!":
        return BOOL
    if op == "-":
        if operand.kind in ("float", "angle"):
            return operand
        return operand if operand.is_integer else _integer(operand)
    if op == "~":
        if operand.kind == "bit" or (operand.kind in ("int", "uint", "angle") and operand.size is not None):
            return operand
        raise ArgumentError(f"Operator `~` needs bit[n] or a sized type, but its operand is {operand}.")
    raise ArgumentError(f"Unknown unary operator `{op}` (known: {', '.join(sorted(UNARY_OPERATORS))}).")


def unary_value(op: str, operand: ClassicalType, x: Value) -> Value:
    """Value of ``op x``."""
    if op == "!":
        return x == 0
    result = unary_type(op, operand)
    if result.kind == "angle":
        if result.size is None:
            return _as_angle(-x, None)
        ticks = to_ticks(x, result.size)
        return from_ticks(-ticks if op == "-" else ~ticks, result.size)
    if result.kind == "float":
        return -x
    return wrap(-int(x) if op == "-" else ~int(x), result)


def binary_type(op: str, left: ClassicalType, right: ClassicalType) -> ClassicalType:
    """Type of ``left op right``.

    Raises
    ------
    ArgumentError
        If the operator does not apply to operands of these types.
    """
    if op in LOGICAL:
        return BOOL
    if op in COMPARISONS:
        _comparison_type(op, left, right)
        return BOOL
    if op in SHIFTS:
        if right.kind in ("float", "angle") or left.kind in ("float", "bool") or left == ANGLE:
            raise _mismatch(op, left, right)
        return left
    if op in BITWISE:
        if left.kind == "bool" and right.kind == "bool":
            return BOOL
        if left == right and (left.kind == "bit" or (left.kind == "angle" and left.size)):
            return left
        if {left.kind, right.kind} <= {"bool", "bit"} and left.size is None and right.size is None:
            return BIT
        if {left.kind, right.kind} & {"float", "angle"} or left.kind == right.kind == "bit":
            raise _mismatch(op, left, right)
        return _promote(_integer(left), _integer(right))
    if op in ARITHMETIC:
        return _arithmetic_type(op, left, right)
    if op == "[]":
        if left.size is None or left.kind == "float" or right.kind in ("float", "angle"):
            raise ArgumentError(
                f"Only bits of bit[n] or of a sized type can be taken, but `x[i]` has {left}[{right}]."
            )
        return BIT
    raise ArgumentError(f"Unknown operator `{op}` (known: {', '.join(sorted(BINARY_OPERATORS))}).")


def _mismatch(op: str, left: ClassicalType, right: ClassicalType) -> ArgumentError:
    return ArgumentError(f"Operator `{op}` does not apply to {left} and {right}; cast one of them.")


def _integer(operand: ClassicalType) -> ClassicalType:
    """The integer type a bool or bit takes part in arithmetic as."""
    if operand.kind == "bit" and operand.size is not None:
        return ClassicalType("uint", min(operand.size, _MAX_INTEGER_BITS))
    return INT if operand.kind in ("bool", "bit") else operand


def _promote(left: ClassicalType, right: ClassicalType) -> ClassicalType:
    """The common type of two integers, as in C: the wider one, unsigned if equally wide."""
    if left == right:
        return left
    if left.width == right.width:
        unsigned = left if left.kind == "uint" else right
        return unsigned if unsigned.kind == "uint" else INT
    return left if left.width > right.width else right


def _arithmetic_type(op: str, left: ClassicalType, right: ClassicalType) -> ClassicalType:
    if "angle" in (left.kind, right.kind):
        if left.kind == right.kind:
            size = None if None in (left.size, right.size) else max(left.size or 0, right.size or 0)
            if op in ("+", "-"):
                return ClassicalType("angle", size)
            if op == "/":
                return ClassicalType("uint", size)
            raise _mismatch(op, left, right)
        angle, other = (left, right) if left.kind == "angle" else (right, left)
        if other.kind == "float":
            if op in ("+", "-"):
                return angle
            if op == "*" or (op == "/" and left is angle):
                return FLOAT
        elif (other.is_integer or other.kind == "bool") and (op == "*" or (op == "/" and left is angle)):
            return angle
        raise _mismatch(op, left, right)
    if "float" in (left.kind, right.kind):
        sizes = [t.size for t in (left, right) if t.kind == "float"]
        return FLOAT if None in sizes else ClassicalType("float", max(size or 0 for size in sizes))
    return _promote(_integer(left), _integer(right))


def _comparison_type(op: str, left: ClassicalType, right: ClassicalType) -> ClassicalType:
    if left == right:
        return left
    if "angle" in (left.kind, right.kind):
        angle, other = (left, right) if left.kind == "angle" else (right, left)
        if other.kind in ("bool", "bit"):
            raise _mismatch(op, left, right)
        return angle if other.kind != "angle" else ClassicalType("angle")
    if "float" in (left.kind, right.kind):
        return FLOAT
    return _promote(_integer(left), _integer(right))


_COMPARE: dict[str, Callable[[Value, Value], bool]] = {
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
}


def binary_value(op: str, left: ClassicalType, a: Value, right: ClassicalType, b: Value) -> Value:
    """Value of ``a op b`` for operands of the given types.

    Raises
    ------
    ArgumentError
        Division by zero, a negative shift or exponent, an overflow, or types that do not fit.
    """
    if op == "&&":
        return a != 0 and b != 0
    if op == "||":
        return a != 0 or b != 0
    if op in COMPARISONS:
        common = _comparison_type(op, left, right)
        if common.is_integer and left.kind in ("bool", "bit", "uint", "int"):
            # compared as numbers: only a signed operand in an unsigned comparison changes, as in C
            if common.kind == "uint":
                a, b = wrap(int(a), common), wrap(int(b), common)
            return _COMPARE[op](a, b)
        return _COMPARE[op](convert(a, left, common), convert(b, right, common))
    result = binary_type(op, left, right)
    if op == "[]":
        width, index = left.width, int(b)
        if not -width <= index < width:
            raise ArgumentError(f"Bit {index} is out of range for {left} (valid: 0 to {width - 1}).")
        pattern = to_ticks(a, width) if left.kind == "angle" else int(a)
        return pattern >> (index % width) & 1
    if op in SHIFTS or op in BITWISE:
        return _bitwise_value(op, result, left, a, right, b)
    if result.kind == "angle" or left.kind == "angle":
        return _angle_value(op, result, left, a, right, b)
    if result.kind == "float":
        return _as_float(_float_value(op, float(a), float(b)), result.size)
    return _integer_value(op, result, wrap(int(a), result), wrap(int(b), result))


def _bitwise_value(
    op: str, result: ClassicalType, left: ClassicalType, a: Value, right: ClassicalType, b: Value
) -> Value:
    if result.kind == "bool":
        return {"&": bool(a) and bool(b), "|": bool(a) or bool(b), "^": bool(a) != bool(b)}[op]
    if result.kind == "angle":
        size = result.size or _MACHINE_BITS
        pattern = ClassicalType("uint", size)
        other = to_ticks(b, size) if op in BITWISE else int(b)
        return from_ticks(int(_bitwise_value(op, pattern, pattern, to_ticks(a, size), UINT, other)), size)
    x, y = int(a), int(b)
    if op in BITWISE:
        x, y = wrap(x, result), wrap(y, result)
        return wrap({"&": x & y, "|": x | y, "^": x ^ y}[op], result)
    if y < 0:
        raise ArgumentError(f"Operator `{op}` needs a shift of at least 0, but has {y}.")
    if op == ">>":
        return x >> min(y, result.width)
    if y > result.width:
        y = result.width
    return wrap(x << y, result)


def _angle_value(
    op: str, result: ClassicalType, left: ClassicalType, a: Value, right: ClassicalType, b: Value
) -> Value:
    if result.kind == "float":
        return _as_float(_float_value(op, float(a), float(b)), None)
    size = result.size
    if result.kind == "uint":  # angle / angle
        if size is None:
            quotient = _float_value("/", float(a), float(b))
            return int(quotient)
        return _integer_value("/", result, to_ticks(a, size), to_ticks(b, size))
    if op in ("+", "-"):
        if size is None:
            return _as_angle(a + b if op == "+" else a - b, None)
        x, y = to_ticks(a, size), to_ticks(b, size)
        return from_ticks(x + y if op == "+" else x - y, size)
    if left.kind != "angle":  # integer * angle
        a, b = b, a
    factor = int(b)
    if op == "/" and factor == 0:
        raise _division_by_zero(op)
    if size is None:
        return _as_angle(a * factor if op == "*" else a / factor, None)
    ticks = to_ticks(a, size)
    return from_ticks(ticks * factor if op == "*" else _truncated(ticks, factor), size)


def _float_value(op: str, a: float, b: float) -> float:
    if op == "+":
        return a + b
    if op == "-":
        return a - b
    if op == "*":
        return a * b
    if b == 0.0 and op in ("/", "%"):
        raise _division_by_zero(op)
    if op == "/":
        return a / b
    if op == "%":
        return math.fmod(a, b)
    try:
        power = math.pow(a, b)
    except (OverflowError, ValueError):
        raise ArgumentError(f"The power {a!r} ** {b!r} is not a finite real number.") from None
    return power


def _integer_value(op: str, result: ClassicalType, a: int, b: int) -> int:
    if op == "+":
        return wrap(a + b, result)
    if op == "-":
        return wrap(a - b, result)
    if op == "*":
        return wrap(a * b, result)
    if op == "**":
        if b < 0:
            raise ArgumentError(
                f"An integer power needs an exponent of at least 0, but has {b}; use a float base."
            )
        if result.kind == "int" and result.size is None:
            if abs(a) > 1 and b > _MACHINE_BITS:
                return wrap(1 << 64, result)  # refused there: an overflow
            return wrap(a**b, result)
        return wrap(pow(a, b, 1 << result.width), result)
    if b == 0:
        raise _division_by_zero(op)
    quotient = _truncated(a, b)
    return wrap(quotient if op == "/" else a - quotient * b, result)


def _truncated(a: int, b: int) -> int:
    quotient = abs(a) // abs(b)
    return -quotient if (a < 0) != (b < 0) else quotient


def _division_by_zero(op: str) -> ArgumentError:
    return ArgumentError(f"The right operand of `{op}` must not be zero.")


# -- functions -------------------------------------------------------------------------------------
_REAL_FUNCTIONS: dict[str, Callable[[float], float]] = {
    "sin": math.sin,
    "cos": math.cos,
    "tan": math.tan,
    "arcsin": math.asin,
    "arccos": math.acos,
    "arctan": math.atan,
    "exp": math.exp,
    "log": math.log,
    "sqrt": math.sqrt,
    "floor": lambda x: float(math.floor(x)),
    "ceiling": lambda x: float(math.ceil(x)),
}
FUNCTIONS = {**dict.fromkeys(_REAL_FUNCTIONS, 1), "popcount": 1, "mod": 2, "pow": 2, "rotl": 2, "rotr": 2}


def call(
    name: str, arguments: list[tuple[ClassicalType, Value | None]]
) -> tuple[ClassicalType, Value | None]:
    """Type and value of a built-in function; the value is None if an argument's value is.

    Raises
    ------
    ArgumentError
        For an unknown function, a wrong number or type of arguments, or a value outside its domain.
    """
    if name not in FUNCTIONS:
        raise ArgumentError(f"Unknown function `{name}` (known: {', '.join(sorted(FUNCTIONS))}).")
    if len(arguments) != FUNCTIONS[name]:
        raise ArgumentError(f"Function `{name}` takes {FUNCTIONS[name]} arguments, but got {len(arguments)}.")
    kind, value = arguments[0]
    known = all(v is not None for _, v in arguments)
    if name in _REAL_FUNCTIONS:
        if value is None:
            return FLOAT, None
        try:
            return FLOAT, _as_float(_REAL_FUNCTIONS[name](float(value)), None)
        except (ValueError, OverflowError):
            raise ArgumentError(f"Function `{name}` has no real value at {value!r}.") from None
    if name in ("mod", "pow"):
        operator = "%" if name == "mod" else "**"
        other_kind, other = arguments[1]
        result = binary_type(operator, kind, other_kind)
        return result, binary_value(operator, kind, value, other_kind, other) if known else None  # type: ignore[arg-type]
    if kind.kind in ("float", "bool") or (kind.kind != "bit" and kind.size is None):
        raise ArgumentError(f"Function `{name}` needs bit[n] or a sized type, but its argument is {kind}.")
    width = kind.width
    pattern = None
    if value is not None:
        pattern = to_ticks(value, width) if kind.kind == "angle" else int(value) & ((1 << width) - 1)
    if name == "popcount":
        return UINT, None if pattern is None else pattern.bit_count()
    distance_kind, distance = arguments[1]
    if distance_kind.kind in ("float", "angle"):
        raise ArgumentError(f"Function `{name}` needs an integer distance, but it is {distance_kind}.")
    if pattern is None or distance is None:
        return kind, None
    shift = int(distance) % width
    if name == "rotr":
        shift = (width - shift) % width
    rotated = (pattern << shift | pattern >> (width - shift)) & ((1 << width) - 1)
    return kind, from_ticks(rotated, width) if kind.kind == "angle" else wrap(rotated, kind)
