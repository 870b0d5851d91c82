"""Sixteen numbers that the processor handles at once: a numba type over LLVM's vectors.

A kernel that loads, computes with and stores `Lanes` reads as a scalar one and is sure to be compiled to SIMD
instructions; a loop over sixteen elements is not, because the compiler cannot prove that the arrays do not overlap.
Products and sums may be contracted to fused multiply-adds; nothing else is reordered, NaN and infinity stay what they
are, and one lane never touches another.

    load(a, i), store(a, i, x)   LANES numbers of the float64 array at address `a` from element i
    spread(x)                    one float in all lanes
    + - * / and unary -          lane by lane, also with a float on one side
    floats(a), whole(a), unsigned(a)   the array of float64, int64, uint64 at address `a`, for one number at a time
    absolute, largest, root, signed(x, y)   |x|, max(x, y) that keeps NaN, square root, |x| with the sign of y
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic, models, overload, register_model
from numba.np.arrayobj import populate_array

LANES = 16
_VECTOR = ir.VectorType(ir.DoubleType(), LANES)


class Lanes(types.Type):
    """The numba type of LANES floats."""

    def __init__(self) -> None:
        super().__init__(name=f"Lanes{LANES}")


lanes = Lanes()


@register_model(Lanes)
class LanesModel(models.PrimitiveModel):
    """Lanes are kept in a vector register."""

    def __init__(self, dmm: Any, fe_type: Any) -> None:
        super().__init__(dmm, fe_type, _VECTOR)


def aligned(count: int) -> np.ndarray:
    """Zeros, float64[count], from an address that suits the widest vector load."""
    whole = np.zeros(count + 8)
    start = (-whole.ctypes.data // 8) % 8
    return whole[start : start + count]


def _place(builder: Any, address: Any, index: Any) -> Any:
    first = builder.inttoptr(address, ir.DoubleType().as_pointer())
    return builder.bitcast(builder.gep(first, [index]), _VECTOR.as_pointer())


def _view(dtype: Any) -> Any:
    """An operation that looks at an address as an array of `dtype`; its length is not known and not checked."""
    kind = types.Array(dtype, 1, "C")

    @intrinsic
    def view(typing_context: Any, address: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            array = context.make_array(kind)(context, builder)
            size = context.get_constant(types.intp, 1 << 60)
            step = context.get_constant(types.intp, 8)
            data = builder.inttoptr(args[0], context.get_value_type(dtype).as_pointer())
            populate_array(array, data=data, shape=[size], strides=[step], itemsize=step, meminfo=None)
            return array._getvalue()

        return kind(types.int64), emit

    return view


floats, whole, unsigned = _view(types.float64), _view(types.int64), _view(types.uint64)


@intrinsic
def load(typing_context: Any, a: Any, i: Any) -> Any:
    """LANES numbers from a[i]."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        value = builder.load(_place(builder, *args), typ=_VECTOR)
        value.align = 8
        return value

    return lanes(a, i), emit


@intrinsic
def store(typing_context: Any, a: Any, i: Any, x: Any) -> Any:
    """Write the lanes x to a[i]."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        builder.store(args[2], _place(builder, args[0], args[1]), align=8)
        return context.get_dummy_value()

    return types.void(a, i, x), emit


def _spread(builder: Any, value: Any) -> Any:
    nothing = ir.Constant(_VECTOR, ir.Undefined)
    first = builder.insert_element(nothing, value, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(first, nothing, ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES))


def _vectors(builder: Any, signature: Any, args: Any) -> list[Any]:
    return [v if t is lanes else _spread(builder, v) for v, t in zip(args, signature.args, strict=True)]


@intrinsic
def spread(typing_context: Any, x: Any) -> Any:
    """A float in all lanes."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return _spread(builder, args[0])

    return lanes(types.float64), emit


def _binary(method: str) -> Any:
    @intrinsic
    def operation(typing_context: Any, x: Any, y: Any) -> Any:
        def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
            return getattr(builder, method)(*_vectors(builder, signature, args), flags=("contract",))

        return lanes(*(t if t is lanes else types.float64 for t in (x, y))), emit

    return operation


def _intrinsic_call(name: str, count: int) -> Callable[..., Any]:
    """The code of a call of an LLVM intrinsic on `count` vectors."""

    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        kind = ir.FunctionType(_VECTOR, [_VECTOR] * count)
        function = cgutils.get_or_insert_function(builder.module, kind, f"llvm.{name}.v{LANES}f64")
        return builder.call(function, _vectors(builder, signature, args))

    return emit


@intrinsic
def absolute(typing_context: Any, x: Any) -> Any:
    """|x| lane by lane."""
    return lanes(x), _intrinsic_call("fabs", 1)


@intrinsic
def root(typing_context: Any, x: Any) -> Any:
    """Square root lane by lane."""
    return lanes(x), _intrinsic_call("sqrt", 1)


@intrinsic
def largest(typing_context: Any, x: Any, y: Any) -> Any:
    """The larger one lane by lane; NaN where one of them is NaN."""
    return lanes(x, y), _intrinsic_call("maximum", 2)


@intrinsic
def signed(typing_context: Any, x: Any, y: Any) -> Any:
    """|x| with the sign of y lane by lane."""
    return lanes(x, y), _intrinsic_call("copysign", 2)


def _overload_binary(operation: Any, method: str) -> None:
    emit = _binary(method)

    @overload(operation)
    def implement(x, y):
        if lanes not in (x, y) or not all(t is lanes or isinstance(t, types.Float) for t in (x, y)):
            return None
        return lambda x, y: emit(x, y)


for _operation, _method in (
    (operator.add, "fadd"), (operator.sub, "fsub"), (operator.mul, "fmul"), (operator.truediv, "fdiv"),
):  # fmt: skip
    _overload_binary(_operation, _method)


@intrinsic
def _negative(typing_context: Any, x: Any) -> Any:
    def emit(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return builder.fneg(args[0])

    return lanes(x), emit


@overload(operator.neg)
def _overload_negative(x):
    if x is not lanes:
        return None
    return lambda x: _negative(x)
