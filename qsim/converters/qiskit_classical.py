"""Classical expressions of circuits that branch, between Qiskit and qsim."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qiskit.circuit import ClassicalRegister, Clbit
from qiskit.circuit.classical import expr, types

from qsim import classical
from qsim.errors import CircuitError

__all__ = ["ExpressionReader", "angle_of", "kind_of", "write_condition", "write_expression"]

_BINARY = {
    **{"BIT_AND": "&", "BIT_OR": "|", "BIT_XOR": "^", "LOGIC_AND": "&&", "LOGIC_OR": "||"},
    **{"EQUAL": "==", "NOT_EQUAL": "!=", "LESS": "<", "LESS_EQUAL": "<=", "GREATER": ">"},
    **{"GREATER_EQUAL": ">=", "SHIFT_LEFT": "<<", "SHIFT_RIGHT": ">>"},
    **{"ADD": "+", "SUB": "-", "MUL": "*", "DIV": "/"},
}
_CONSTRUCTORS = {
    **{"&": expr.bit_and, "|": expr.bit_or, "^": expr.bit_xor, "&&": expr.logic_and, "||": expr.logic_or},
    **{"==": expr.equal, "!=": expr.not_equal, "<": expr.less, "<=": expr.less_equal, ">": expr.greater},
    **{">=": expr.greater_equal, "<<": expr.shift_left, ">>": expr.shift_right},
    **{
        name: getattr(expr, name2)
        for name, name2 in (("+", "add"), ("-", "sub"), ("*", "mul"), ("/", "div"))
        if hasattr(expr, name2)
    },
}


def kind_of(kind: Any) -> tuple[str, int | None]:
    """Kind and size of a Qiskit type in qsim."""
    if isinstance(kind, types.Bool):
        return "bool", None
    if isinstance(kind, types.Uint):
        return "uint", kind.width
    if isinstance(kind, types.Float):
        return "float", 64
    raise CircuitError(f"A classical value of Qiskit's type {kind} has no counterpart in qsim.")


class ExpressionReader:
    """Expressions over the bits of one scope, which `clbits` maps to the circuit's numbers."""

    def __init__(self, clbits: Mapping[Any, int], variables: Mapping[Any, classical.Variable]) -> None:
        self.clbits, self.variables = clbits, variables

    def condition(self, condition: Any) -> classical.Expression:
        """What `if` and `while` ask: an expression, or the pair of a bit or register and its value."""
        if isinstance(condition, tuple):
            subject, value = condition
            places: Any = (
                self.clbits[subject] if isinstance(subject, Clbit) else tuple(self.clbits[c] for c in subject)
            )
            return classical.as_condition((places, int(value)), max(self.clbits.values()) + 1)
        return self.read(condition)

    def read(self, node: Any) -> Any:
        """The same expression in qsim.

        Raises
        ------
        CircuitError
            If it holds something that qsim has not.
        """
        if isinstance(node, Clbit):
            return classical.Bit(self.clbits[node])
        if isinstance(node, ClassicalRegister):
            return classical.Bits(tuple(self.clbits[c] for c in node))
        if isinstance(node, expr.Var):
            return self.variables[node] if node.standalone else self.read(node.var)
        if isinstance(node, expr.Value):
            return classical.Literal(node.value, *kind_of(node.type))
        if isinstance(node, expr.Cast):
            return classical.Cast(*kind_of(node.type), self.read(node.operand))
        if isinstance(node, expr.Unary):
            operand, name = self.read(node.operand), node.op.name
            if name == "BIT_NOT":
                return classical.Unary("!" if isinstance(node.type, types.Bool) else "~", operand)
            return classical.Unary({"LOGIC_NOT": "!", "NEGATE": "-"}[name], operand)
        if isinstance(node, expr.Index):
            return classical.Binary("[]", self.read(node.target), self.read(node.index))
        if isinstance(node, expr.Binary) and node.op.name in _BINARY:
            return classical.Binary(_BINARY[node.op.name], self.read(node.left), self.read(node.right))
        raise CircuitError(f"Qiskit's classical expression {node!r} has no counterpart in qsim.")


# -- to Qiskit ---------------------------------------------------------------------------------------
def write_expression(node: Any, circuit: Any, variables: Mapping[str, Any]) -> Any:
    """An expression of qsim over the bits of a Qiskit circuit.

    Raises
    ------
    CircuitError
        If Qiskit has no such expression.
    """

    def write(node: Any) -> Any:
        if isinstance(node, classical.Bit):
            return expr.lift(circuit.clbits[node.index])
        if isinstance(node, classical.Bits):
            return _register(node.indices, circuit)
        if isinstance(node, classical.Variable):
            if node.name not in variables:
                raise CircuitError(
                    f"Classical variable `{node.name}` of a loop can only be an angle in Qiskit."
                )
            return variables[node.name]
        if isinstance(node, classical.Literal):
            return _literal(node)
        if isinstance(node, classical.Cast):
            return expr.cast(write(node.operand), _type(node.kind, node.size))
        if isinstance(node, classical.Unary):
            operand = write(node.operand)
            if node.op == "-" and hasattr(expr, "negate"):
                return expr.negate(operand)
            return expr.logic_not(operand) if node.op == "!" else expr.bit_not(operand)
        if isinstance(node, classical.Binary):
            if node.op == "[]":
                return expr.index(write(node.left), write(node.right))
            if node.op in _CONSTRUCTORS:
                return _CONSTRUCTORS[node.op](*_operands(node, write))
        raise CircuitError(f"Qiskit has no classical expression `{node}`.")

    return write(node)


def write_condition(node: Any, circuit: Any, variables: Mapping[str, Any]) -> Any:
    """A condition: the pair of a bit or register and its value where it is that, else an expression."""
    if isinstance(node, classical.Bit):
        return (circuit.clbits[node.index], 1)
    if isinstance(node, classical.Unary) and node.op == "!" and isinstance(node.operand, classical.Bit):
        return (circuit.clbits[node.operand.index], 0)
    if isinstance(node, classical.Binary) and node.op == "==" and isinstance(node.left, classical.Bits):
        register = _whole_register(node.left.indices, circuit)
        if register is not None and isinstance(node.right, classical.Literal):
            return (register, int(node.right.value))
    found = write_expression(node, circuit, variables)
    return found if isinstance(found.type, types.Bool) else expr.cast(found, types.Bool())


def _operands(node: classical.Binary, write: Any) -> tuple[Any, Any]:
    """Both sides, a number without a size as wide as the other side."""
    sides = [node.left, node.right]
    for k, side in enumerate(sides):
        other = sides[1 - k]
        if not isinstance(side, classical.Literal) or side.kind != "int" or side.size is not None:
            continue
        if not isinstance(other, classical.Literal) or other.kind != "int":
            found = write(other)
            if isinstance(found.type, types.Uint):
                value = expr.Value(int(side.value), found.type)
                return (value, found) if k == 0 else (found, value)
    return write(node.left), write(node.right)


def _whole_register(indices: tuple[int, ...], circuit: Any) -> Any:
    for register in circuit.cregs:
        if tuple(circuit.find_bit(bit).index for bit in register) == indices:
            return register
    return None


def _register(indices: tuple[int, ...], circuit: Any) -> Any:
    """The register of these bits, one that names them anew if there is none."""
    register = _whole_register(indices, circuit)
    if register is None:
        register = ClassicalRegister(bits=[circuit.clbits[i] for i in indices])
        circuit.add_register(register)
    return expr.lift(register)


def _type(kind: str, size: int | None) -> Any:
    if kind == "bool" or (kind == "bit" and size is None):
        return types.Bool()
    if kind in ("uint", "bit"):
        return types.Uint(size or 64)
    if kind == "float":
        return types.Float()
    raise CircuitError(f"Qiskit has no classical type `{kind}`; it has bool, uint and float.")


def type_of_variable(variable: classical.Variable) -> Any:
    """Qiskit's type of a classical variable."""
    return _type(variable.kind, variable.size)


def _literal(node: classical.Literal) -> Any:
    if node.kind == "int" and node.value >= 0:
        return expr.lift(int(node.value))
    return expr.Value(node.value, _type(node.kind, node.size))


def angle_of(node: Any, loops: Mapping[str, Any]) -> Any:
    """An angle that depends on variables of loops, as an expression of the loops' parameters."""
    if isinstance(node, classical.Literal):
        return float(node.value)
    if isinstance(node, classical.Variable) and node.name in loops:
        return loops[node.name]
    if isinstance(node, classical.Cast) and node.kind == "float":
        return angle_of(node.operand, loops)
    if isinstance(node, classical.Unary) and node.op == "-":
        return -angle_of(node.operand, loops)
    if isinstance(node, classical.Binary) and node.op in ("+", "-", "*", "/", "**"):
        if node.op == "/" and node.type.kind != "float":
            raise CircuitError(f"The angle `{node}` divides integers, which Qiskit's parameters do not.")
        left, right = angle_of(node.left, loops), angle_of(node.right, loops)
        return {
            "+": lambda: left + right,
            "-": lambda: left - right,
            "*": lambda: left * right,
            "/": lambda: left / right,
            "**": lambda: left**right,
        }[node.op]()
    if isinstance(node, classical.Call) and node.name in ("sin", "cos", "tan", "exp", "log"):
        argument = angle_of(node.arguments[0], loops)
        return getattr(argument, node.name)()
    raise CircuitError(f"The angle `{node}` is known only while the circuit runs; Qiskit has no such angles.")
