"""Records on the stack: a kernel that writes to a copy leaves the compiler sure that nothing else changed.

A unit's records lie in memory that other records might overlap, as far as the compiler can see: after each store it
reads all again and computes again what it had. A copy on the stack ends in registers.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic


@intrinsic
def local(typing_context: Any, record: Any) -> Any:
    """A copy of a record of float64 fields, valid until the function returns."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        room = cgutils.alloca_once(builder, ir.ArrayType(ir.DoubleType(), record.size // 8))
        copy = builder.bitcast(room, args[0].type)
        _copy(builder, copy, args[0], record.size)
        return copy

    return record(record), build


@intrinsic
def put(typing_context: Any, target: Any, source: Any) -> Any:
    """Copy all fields of `source` to `target`, a record of the same type."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        _copy(builder, args[0], args[1], target.size)
        return context.get_dummy_value()

    return types.void(target, source), build


def _copy(builder: Any, target: Any, source: Any, size: int) -> None:
    """Copy float by float: the compiler keeps only those that change."""
    pointer = ir.DoubleType().as_pointer()
    to, of = builder.bitcast(target, pointer), builder.bitcast(source, pointer)
    for k in range(size // 8):
        place = ir.Constant(ir.IntType(64), k)
        builder.store(builder.load(builder.gep(of, [place])), builder.gep(to, [place]))
