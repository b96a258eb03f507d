"""echo.proto's Message, created from its descriptor at run time, without protoc."""

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_file = descriptor_pb2.FileDescriptorProto(name="echo.proto", package="interop", syntax="proto3")
_message = _file.message_type.add(name="Message")
_kinds = descriptor_pb2.FieldDescriptorProto
for _number, (_name, _kind) in enumerate(
    [("body", _kinds.TYPE_BYTES), ("count", _kinds.TYPE_INT32), ("code", _kinds.TYPE_INT32), ("text", _kinds.TYPE_STRING)],
    start=1,
):
    _message.field.add(name=_name, number=_number, type=_kind, label=_kinds.LABEL_OPTIONAL)
_pool = descriptor_pool.DescriptorPool()
_pool.Add(_file)
Message = message_factory.GetMessageClass(_pool.FindMessageTypeByName("interop.Message"))
