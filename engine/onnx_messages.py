"""The messages of an ONNX file, as far as Hearth changes files of others; what else one holds passes through unread.

Names, numbers and types of the fields are those of `onnx.proto` (IR version 10). They are declared here, in a pool of
their own, so that neither the onnx package nor a compiler of protobuf is needed, and another copy of them does no harm.
"""

from __future__ import annotations

from typing import Any

from google.protobuf.descriptor_pb2 import DescriptorProto, FieldDescriptorProto, FileDescriptorProto
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

_FIELDS = {
    "Model": "Graph graph=7",
    "Graph": "Node* node=1, Tensor* initializer=5, Value* value_info=13",
    "Node": "string* input=1, string* output=2, string op_type=4, Attribute* attribute=5",
    "Attribute": "string name=1, int64 i=3, int32 type=20",
    "Tensor": "int64* dims=1, int32 data_type=2, string name=8, bytes raw_data=9",
    "Value": "string name=1",
}
"""`type name=number` of each field; a star stands for any number of them."""


def _field(text: str) -> FieldDescriptorProto:
    kind, _, rest = text.partition(" ")
    name, _, number = rest.partition("=")
    field = FieldDescriptorProto(name=name, number=int(number))
    field.label = field.LABEL_REPEATED if kind.endswith("*") else field.LABEL_OPTIONAL
    kind = kind.rstrip("*")
    if kind in _FIELDS:
        field.type, field.type_name = field.TYPE_MESSAGE, f".{kind}"
    else:
        field.type = getattr(field, f"TYPE_{kind.upper()}")
    return field


def _model_class() -> Any:
    messages = [
        DescriptorProto(name=name, field=[_field(text) for text in fields.split(", ")])
        for name, fields in _FIELDS.items()
    ]
    pool = DescriptorPool()
    pool.Add(FileDescriptorProto(name="onnx.proto", syntax="proto2", message_type=messages))
    return GetMessageClass(pool.FindMessageTypeByName("Model"))


Model = _model_class()
"""A file's whole. Its repeated messages are added to with `add(field=value, …)`."""
