"""A named tuple handed on by its address.

numba passes a tuple of arrays by value: some hundred words on the stack at every call, which cost more than the work
of the small functions of the engine. `reference(bundle)` keeps one copy on the stack and hands on where it lies;
`bundle.field` then reads that field alone, wherever the code needs it. The tuple must not change meanwhile.
"""

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.datamodel.models import PrimitiveModel
from numba.core.datamodel.registry import register_default
from numba.core.typing.templates import AttributeTemplate
from numba.extending import infer_getattr, intrinsic, lower_getattr_generic


class Reference(types.Type):
    """numba's type of the address of a named tuple."""

    def __init__(self, bundle: Any) -> None:
        self.bundle = bundle
        super().__init__(name=f"Reference({bundle})")


@register_default(Reference)
class ReferenceModel(PrimitiveModel):
    """A pointer to the tuple's value."""

    def __init__(self, manager: Any, fe_type: Reference) -> None:
        super().__init__(manager, fe_type, manager.lookup(fe_type.bundle).get_value_type().as_pointer())


@infer_getattr
class ReferenceAttributes(AttributeTemplate):
    """The fields of the tuple."""

    key = Reference

    def generic_resolve(self, reference: Any, name: str) -> Any:  # type: ignore[override]
        """Type of a field, None for an unknown name."""
        fields = reference.bundle.fields
        return reference.bundle.types[fields.index(name)] if name in fields else None


@lower_getattr_generic(Reference)
def read_field(context: Any, builder: Any, kind: Reference, value: Any, name: str) -> Any:
    """The field's value, read from the tuple."""
    place = cgutils.gep_inbounds(builder, value, 0, kind.bundle.fields.index(name))
    return _read(builder, place, context.get_value_type(kind.bundle).elements[kind.bundle.fields.index(name)])


def _read(builder: Any, place: Any, kind: Any) -> Any:
    """Read word by word, each marked as never changing: so it can be read before a loop that writes elsewhere."""
    if not isinstance(kind, (ir.LiteralStructType, ir.ArrayType)):
        word = builder.load(place)
        word.set_metadata("invariant.load", builder.module.add_metadata([]))
        return word
    parts = list(kind.elements) if isinstance(kind, ir.LiteralStructType) else [kind.element] * kind.count
    whole = ir.Constant(kind, ir.Undefined)
    for k, part in enumerate(parts):
        whole = builder.insert_value(whole, _read(builder, cgutils.gep_inbounds(builder, place, 0, k), part), k)
    return whole


@intrinsic
def reference(typing_context: Any, bundle: Any) -> Any:
    """The address of a copy of the tuple, valid until the caller returns."""

    def build(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        return cgutils.alloca_once_value(builder, args[0])

    return Reference(bundle)(bundle), build
