import { suite } from "uvu";
import * as assert from "uvu/assert";
import { z } from "zod";
import { checkSchema, problemText } from "../../input/schema.ts";

const test = suite("input/schema");

const kinds = z.union([z.object({ kind: z.literal("a"), size: z.int().min(1) }), z.strictObject({ kind: z.literal("b") })]);
const discriminated = z.discriminatedUnion("kind", [z.object({ kind: z.literal("a"), size: z.number() }), z.object({ kind: z.literal("b") })]);

for (const [what, schema, value, text] of [
  ["a field that is missing", z.object({ a: z.number() }), {}, '"a" is missing'],
  ["a word that is missing", z.object({ a: z.enum(["x", "y"]) }), {}, '"a" is missing'],
  ["a form that is missing", z.object({ a: z.union([z.string(), z.number()]) }), {}, '"a" is missing'],
  ["nothing at all", z.object({ a: z.number() }), undefined, "it is missing"],
  ["text for a number", z.object({ a: z.number() }), { a: "b" }, "a: must be a number, not a string"],
  ["a list for a map", z.record(z.string(), z.number()), [1], "it: must be a map, not a list"],
  ["null for a list", z.array(z.number()), null, "it: must be a list, not null"],
  ["what is no number", z.number(), Number.NaN, "it: must be a number, not what is no number"],
  ["a number without end", z.number(), 1e999, "it: must be a number, not an infinite number"],
  ["a fraction", z.int(), 1.5, "it: must be a whole number, not the number 1.5"],
  ["a small number", z.number().min(2), 1, "it: too small, must be >=2"],
  ["nothing or less", z.number().positive(), 0, "it: too small, must be >0"],
  ["a large number", z.number().max(2), 3, "it: too large, must be <=2"],
  ["a short text", z.string().min(1), "", "it: too small, must have >=1 characters"],
  ["a long list", z.tuple([z.number()]), [1, 2], "it: too large, must have <=1 entries"],
  ["no multiple", z.number().multipleOf(32), 33, "it: must be a multiple of 32"],
  ["another word", z.enum(["x", "y"]), "z", "it: must be one of x, y"],
  ["another constant", z.literal(null), 1, "it: must be null"],
  ["a text of another form", z.string().regex(/^a$/), "b", "it: has characters that are not allowed"],
  ["a rule with words of its own", z.string().regex(/^a$/, "only the letter a"), "b", "it: only the letter a"],
  ["a union with words of its own", z.union([z.string(), z.number()], { error: "a name or a number is wanted" }), [], "it: a name or a number is wanted"],
  ["an unknown key", z.strictObject({ a: z.number() }), { a: 1, "b\u001b": 2 }, 'unknown key "b\\u001b"'],
  ["the branch that fits best", kinds, { kind: "a", size: 0 }, "size: too small, must be >=1"],
  ["no branch", discriminated, { kind: "c" }, "kind: has none of the forms that are allowed here"],
  ["a key of a record", z.record(z.string().regex(/^\d+$/), z.number()), { x: 1 }, "x: has a key that is not allowed"],
  ["JSON of another kind", z.object({ a: z.json() }), { a: Number.POSITIVE_INFINITY }, "a: must be a string, not an infinite number"],
] as const) test(`${what}: ${text}`, () => assert.is(problemText(checkSchema(schema as z.ZodType, value).problems ?? []), text));

test("many problems are counted, the first are named", () => {
  const { problems = [] } = checkSchema(z.array(z.number()), Array.from({ length: 1000 }, () => "x"));
  assert.is(problemText(problems, 1), "0: must be a number, not a string; and 999 more");
});

test("a long name of a place is cut short", () => {
  const { problems = [] } = checkSchema(z.record(z.string(), z.number()), { ["x".repeat(1e5)]: "y" });
  assert.ok(problemText(problems).length < 200);
});

test("what fits is handed on as the schema makes it", () => assert.equal(checkSchema(z.object({ a: z.number().default(1) }), {}).data, { a: 1 }));

test.run();
