/** Shape arithmetic as exporters write it, op by op and in the chains that are known; y is an integer, float or bool that follows from the shape of x. */
const header = "const i0: i64[] = [0] const i1: i64[] = [1] const i2: i64[] = [2] const a0: i64[1] = [0] const two: i64[1] = [2] s = Shape(x) f = Cast<to=1>(s)";
const on = (body: string, opset = 17): string => `graph g <opset ${opset}> (x: f32[2,3,8,6]) { ${header} ${body} } -> y`;

export const valueCases: readonly string[] = [
  // arithmetic
  ...["Add", "Sub", "Mul", "Div", "Mod", "Min", "Max", "Pow", "BitShift"].map((op) => on(`c = Cast<to=${op === "BitShift" ? 13 : 7}>(s) d = Cast<to=${op === "BitShift" ? 13 : 7}>(two) y = ${op}${op === "BitShift" ? `<direction="LEFT">` : ""}(c, d)`)),
  on(`const n: i64[4] = [-7, 7, -3, 5] const d: i64[4] = [2, -2, 4, 3] y = Div(n, d)`), on(`const n: i64[4] = [-7, 7, -3, 5] const d: i64[4] = [2, -2, 4, 3] y = Mod(n, d)`),
  on(`const n: f32[4] = [-7.5, 7.25, -3, 5] const d: f32[4] = [2, -2, 4, 3] y = Mod<fmod=1>(n, d)`),
  ...["Add", "Sub", "Mul", "Div", "Pow", "Min", "Max", "Sum", "Mean"].map((op) => on(`const k: f32[4] = [0.1, 3, 0.7, 2.5] y = ${op}(f, k)`)),
  on(`y = Sum(f, f, f)`), on(`const k: f32[4] = [1, 2, 3, 4] y = Mean(f, k)`), on(`const k: i64[4] = [9, 1, 9, 1] y = Min(s, k, two)`),
  ...["Floor", "Ceil", "Round", "Neg", "Abs", "Sign", "Reciprocal", "Relu"].map((op) => on(`const k: f32[4] = [2.5, -3.5, 0.5, -1.2] y = ${op}(k)`)),
  ...["Exp", "Log", "Sqrt"].map((op) => on(`y = ${op}(f)`)),
  on(`const lo: f32[] = [2.5] const hi: f32[] = [6] y = Clip(f, lo, hi)`), on(`const lo: i64[] = [3] y = Clip(s, lo)`), on(`y = Clip<min=3.0, max=5.0>(f)`, 10),
  ...["Equal", "Greater", "Less", "GreaterOrEqual", "LessOrEqual"].map((op) => on(`const k: i64[4] = [2, 4, 8, 5] y = ${op}(s, k)`)),
  ...["And", "Or", "Xor"].map((op) => on(`const p: bool[4] = [0, 1, 0, 1] const q: bool[4] = [0, 0, 1, 1] y = ${op}(p, q)`)), on(`const p: bool[2] = [0, 1] y = Not(p)`),
  ...["BitwiseAnd", "BitwiseOr", "BitwiseXor"].map((op) => on(`const k: i64[4] = [3, 5, -1, 6] y = ${op}(s, k)`, 18)),
  on(`const c: bool[4] = [1, 0, 1, 0] const k: i64[1] = [-1] y = Where(c, s, k)`), on(`const c: bool[2,1] = [1, 0] y = Where(c, s, two)`),
  on(`const k: f32[4] = [2.9, -2.9, 0.2, 7] y = Cast<to=7>(k)`), on(`y = Cast<to=9>(s)`), on(`const k: i64[3] = [9223372036854775807, -9223372036854775807, 3] y = Identity(k)`),
  on(`const k: i64[3] = [300, -129, 4294967299] y = Cast<to=6>(k)`), on(`const k: i64[2] = [200, 100] y = Cast<to=3>(k)`), on(`y = CastLike(s, f)`), on(`y = CastLike(f, s)`),
  on(`const k: i64[1] = [16777217] c = Cast<to=1>(k) y = Cast<to=7>(c)`),
  // movement
  on(`y = Shape<start=1, end=-1>(x)`), on(`y = Size(x)`), on(`y = Identity(s)`), on(`y, m = Dropout(f)`),
  on(`y = Gather(s, i2)`), on(`const k: i64[2,2] = [0, -1, 2, 1] y = Gather(s, k)`), on(`const k: i64[2] = [2, 2] r = Reshape(s, k) y = Gather<axis=1>(r, i1)`),
  on(`const k: i64[2] = [2, 2] const j: i64[2,1] = [1, 0] r = Reshape(s, k) y = GatherElements<axis=1>(r, j)`), on(`const k: i64[2] = [2, 2] const j: i64[2,1] = [1, -2] r = Reshape(s, k) y = GatherND(r, j)`),
  on(`y = Concat<axis=0>(s, two, s)`), on(`const k: i64[2] = [2, 2] r = Reshape(s, k) y = Concat<axis=-1>(r, r)`), on(`const k: i64[2] = [2, 2] r = Reshape(s, k) y = Concat<axis=0>(r, r)`),
  on(`const e: i64[1] = [9223372036854775807] y = Slice(s, two, e, a0)`), on(`const e: i32[1] = [2147483647] const b: i32[1] = [1] y = Slice(s, b, e)`),
  on(`const b: i64[1] = [-1] const e: i64[1] = [-9223372036854775807] y = Slice(s, b, e, a0, b)`), on(`const b: i64[1] = [-1] const e: i64[1] = [-9223372036854775808] const t: i64[1] = [-2] y = Slice(s, b, e, a0, t)`),
  on(`const b: i32[1] = [-1] const e: i32[1] = [-2147483648] const a: i32[1] = [0] y = Slice(s, b, e, a, b)`), on(`const b: i64[1] = [3] const e: i64[1] = [1] y = Slice(s, b, e)`),
  on(`const k: i64[2] = [2, 2] const b: i64[2] = [0, 1] const e: i64[2] = [9223372036854775807, 2] const a: i64[2] = [0, 1] r = Reshape(s, k) y = Slice(r, b, e, a)`),
  on(`y = Slice<starts=[-2], ends=[9223372036854775807], axes=[0]>(s)`, 9), on(`y = Slice<starts=[1], ends=[3]>(s)`, 9),
  on(`y, z = Split(s)`), on(`z, y = Split(s)`), on(`const k: i64[2] = [1, 3] z, y = Split(s, k)`), on(`const k: i64[1] = [7] c = Concat<axis=0>(s, k) y, z, u = Split<num_outputs=3>(c)`, 18), on(`z, y = Split<split=[1,3]>(s)`, 11),
  on(`const k: i64[2] = [2, 2] r = Reshape(s, k) y = Transpose(r)`), on(`const k: i64[3] = [2, 1, 2] r = Reshape(s, k) y = Transpose<perm=[1,2,0]>(r)`),
  on(`y = Squeeze(two)`), on(`y = Squeeze(two, a0)`), on(`y = Squeeze<axes=[0]>(two)`, 11), on(`const k: i64[2] = [0, -1] y = Unsqueeze(s, k)`), on(`y = Unsqueeze<axes=[1]>(s)`, 11),
  on(`const k: i64[2] = [-1, 2] y = Reshape(s, k)`), on(`const k: i64[2] = [0, 1] y = Reshape(s, k)`), on(`y = Flatten<axis=0>(s)`),
  on(`y = ConstantOfShape<value=i64[1] = [1]>(two)`), on(`y = ConstantOfShape(two)`), on(`k = Sub(two, two) y = ConstantOfShape<value=i64[1] = [1]>(k)`),
  on(`const k: i64[2] = [3, 4] y = Expand(s, k)`), on(`const k: i64[1] = [5] y = Expand(i2, k)`), on(`y = Tile(s, two)`),
  on(`const p: i64[2] = [1, 2] const v: i64[] = [7] y = Pad(s, p, v)`), on(`const p: i64[2] = [-1, 1] y = Pad(s, p)`), on(`const k: i64[2] = [2, 2] const p: i64[2] = [1, 0] const a: i64[1] = [-1] r = Reshape(s, k) y = Pad(r, p, _, a)`, 18),
  on(`d = Gather(s, i2) y = Range(i0, d, i2)`), on(`const m: i64[] = [-3] d = Gather(s, i2) y = Range(d, i0, m)`), on(`const h: f32[] = [0.3] const l: f32[] = [2] const z: f32[] = [0] y = Range(z, l, h)`),
  on(`const j: i64[2,1] = [1, 3] const u: i64[2] = [70, 71] y = ScatterND(s, j, u)`), on(`const k: i64[2] = [2, 2] const j: i64[1,1] = [-1] const u: i64[1,2] = [70, 71] r = Reshape(s, k) y = ScatterND(r, j, u)`),
  on(`const j: i64[2] = [1, -1] const u: i64[2] = [70, 71] y = ScatterElements(s, j, u)`), on(`const j: i64[2] = [1, 3] const u: i64[2] = [70, 71] y = Scatter(s, j, u)`, 10),
  on(`const k: i64[2,3] = [0, 4, 0, 5, 0, 6] y = NonZero(k)`), on(`const v: i64[2] = [9, 1] const d: i64[] = [4] y = OneHot(two, d, v)`), on(`const v: i64[2] = [0, 1] const d: i64[] = [3] const j: i64[2] = [2, -3] y = OneHot<axis=0>(j, d, v)`),
  // reductions
  ...["ReduceProd", "ReduceMax", "ReduceMin", "ReduceSumSquare", "ReduceL1", "ReduceMean"].flatMap((op) => [on(`y = ${op}<keepdims=0>(f)`), on(`const k: i64[2] = [2, 2] r = Reshape(f, k) y = ${op}<axes=[-1]>(r)`), on(`const k: i64[2] = [2, 2] r = Reshape(f, k) y = ${op}<keepdims=0>(r, a0)`, 18)]),
  on(`y = ReduceSum(s, a0)`), on(`const k: i64[2] = [2, 2] r = Reshape(s, k) y = ReduceSum<keepdims=0>(r, a0)`), on(`y = ReduceSum<noop_with_empty_axes=1>(s)`), on(`y = ReduceProd<keepdims=1>(s)`),
  on(`y = ArgMax<axis=0>(s)`), on(`y = ArgMin<axis=0, keepdims=0>(s)`), on(`const k: f32[4] = [3, 5, 5, 3] y = ArgMax<axis=0, select_last_index=1>(k)`),
  on(`y = CumSum(s, i0)`), on(`y = CumSum<exclusive=1, reverse=1>(s, i0)`),
  // chains: F.pad and F.interpolate of TorchScript's exporter, view and expand, arange, tf2onnx's and paddle2onnx's resize, an If that is decided
  on(`const p: i64[4] = [0, 1, 2, 3] const m: i64[2] = [-1, 2] const b: i64[1] = [-1] const e: i64[1] = [-9223372036854775807] const four: i64[1] = [4] const flat: i64[1] = [-1]
      z = ConstantOfShape<value=i64[1] = [0]>(four) c = Concat<axis=0>(p, z) r = Reshape(c, m) v = Slice(r, b, e, a0, b) t = Transpose<perm=[1,0]>(v) w = Reshape(t, flat) y = Cast<to=7>(w)`),
  on(`const k: f32[] = [2.7] h = Gather(s, i2) g = Cast<to=1>(h) m = Mul(g, k) l = Floor(m) c = Cast<to=7>(l) y = Unsqueeze(c, a0)`),
  on(`const sh: i64[4] = [-1, 3, -1, 6] const a4: i64[1] = [4] const neg: i64[] = [-1]
      n = ConstantOfShape<value=i64[1] = [1]>(a4) m = Mul(n, neg) q = Equal(sh, m) y = Where(q, n, sh)`),
  on(`h = Gather(s, two) o = ConstantOfShape<value=i64[1] = [1]>(h) z = NonZero(o) t = Transpose(z) const a1: i64[1] = [1] q = Squeeze(t, a1) y = Cast<to=1>(q)`),
  on(`const b: i64[1] = [2] const e: i64[1] = [4] const k: f32[2] = [2, 1.5] h = Slice(s, b, e, a0) g = Cast<to=1>(h) m = Mul(g, k) c = Ceil(m) i = Cast<to=6>(c) y = Cast<to=7>(i)`),
  on(`g = Gather(s, i1) q = Equal(i1, g) y = If<then_branch=graph t () { p = Mul(s, two) } -> p, else_branch=graph e () { p = Add(s, two) } -> p>(q)`),
];
