"""Writes onnx.ts and microsoft.ts beside this file: the signature of every operator, from ONNX's and ONNX Runtime's own schemas.

    pip install onnx==1.23.2 onnxruntime   # any version that has the operator sets that are wanted
    python graph/schemas/make.py
"""

import os

import onnx
import onnx.defs
import onnxruntime
import onnxruntime.capi.onnxruntime_pybind11_state as ort

HERE = os.path.dirname(os.path.abspath(__file__))
# Element types by their name in a schema; those that a graph cannot hold are left out.
ELEMENTS = {
    "float": "float32", "double": "float64", "float16": "float16", "bfloat16": "bfloat16",
    "int8": "int8", "int16": "int16", "int32": "int32", "int64": "int64",
    "uint8": "uint8", "uint16": "uint16", "uint32": "uint32", "uint64": "uint64",
    "bool": "bool", "string": "string", "complex64": "complex64", "complex128": "complex128",
}
KINDS = {
    "FLOAT": "f", "INT": "i", "STRING": "s", "TENSOR": "t", "GRAPH": "g", "FLOATS": "F", "INTS": "I", "STRINGS": "S",
    "TENSORS": "T", "GRAPHS": "G", "SPARSE_TENSOR": "x", "TYPE_PROTO": "p", "TYPE_PROTOS": "P", "SPARSE_TENSORS": "X",
}


class Sets:
    """Sets of element types, each written once."""

    def __init__(self):
        self.index = {}

    def of(self, types):
        tensors = [t[7:-1] for t in types if t.startswith("tensor(")]
        text = " ".join(sorted(ELEMENTS[t] for t in tensors if t in ELEMENTS))
        return self.index.setdefault(text, len(self.index))


def parameter(formal, schema, sets):
    constraints = {c.type_param_str for c in schema.type_constraints}
    option = str(formal.option).rsplit(".", 1)[1]
    shared = formal.type_str if hasattr(formal, "type_str") else formal.typeStr
    homogeneous = formal.is_homogeneous if hasattr(formal, "is_homogeneous") else formal.isHomogeneous
    ending = {"Single": "", "Optional": "?", "Variadic": "*" if homogeneous else "**"}[option]
    kind = shared if shared in constraints else sets.of(formal.types)
    return f"{formal.name or '_'}:{kind}{ending}"


def line(schema, sets):
    inputs = ",".join(parameter(p, schema, sets) for p in schema.inputs)
    outputs = ",".join(parameter(p, schema, sets) for p in schema.outputs)
    attributes = ",".join(
        f"{name}:{KINDS[str(a.type).rsplit('.', 1)[1]]}{'!' if a.required else ''}" for name, a in sorted(schema.attributes.items())
    )
    types = ",".join(f"{c.type_param_str}={sets.of(c.allowed_type_strs)}" for c in schema.type_constraints)
    arity = f"{schema.min_input}-{min(schema.max_input, 2**31 - 1)}>{schema.min_output}-{min(schema.max_output, 2**31 - 1)}"
    arity = arity.replace(str(2**31 - 1), "")
    return f"{schema.since_version}{'x' if schema.deprecated else ''}|{arity}|{inputs}|{outputs}|{attributes}|{types}"


def write(file, name, doc, schemas, more=""):
    sets = Sets()
    by_op = {}
    for schema in sorted(schemas, key=lambda s: (s.name, s.since_version)):
        by_op.setdefault(schema.name, []).append(line(schema, sets))
    rows = "\n".join(
        "  " + op + ": [" + ("\n" if len(lines) > 1 else "") + (",\n".join(("    " if len(lines) > 1 else "") + '"' + each + '"' for each in lines))
        + ("\n  ]," if len(lines) > 1 else "],")
        for op, lines in by_op.items()
    )
    types = "\n".join(f'    "{text}",' for text in sets.index)
    with open(os.path.join(HERE, file), "w", encoding="utf-8") as out:
        out.write(
            f"// Made by graph/schemas/make.py from {doc}. Do not edit.\n"
            'import type { SchemaTable } from "./schema.ts";\n\n'
            f"export const {name}: SchemaTable = {{\n  types: [\n{types}\n  ],\n  ops: {{\n"
            + "\n".join("  " + row for row in rows.split("\n")) + "\n  },\n};\n" + more
        )


ai_onnx = [s for s in onnx.defs.get_all_schemas_with_history() if s.domain == ""]
microsoft = [s for s in ort.get_all_operator_schema() if s.domain == "com.microsoft"]
versions = f"""
/** The newest operator set and IR version that the schemas cover. */
export const newestOpset = {onnx.defs.onnx_opset_version()};
export const newestIr = {int(onnx.IR_VERSION)};
"""
write("onnx.ts", "onnxSchemas", f"onnx {onnx.__version__}", ai_onnx, versions)
write("microsoft.ts", "microsoftSchemas", f"onnxruntime {onnxruntime.__version__}", microsoft)
