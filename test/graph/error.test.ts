import { test } from "uvu";
import * as assert from "uvu/assert";
import { UserError } from "../../graph/error.ts";

test("an error that quotes a hostile name holds no control character and no sign that turns text", () => {
  const error = new UserError("X", "class \"\u001b[31m\u202e\u0000\u009b\r\" is unknown:\n\tline 1", "rename \u0007.");
  assert.is(error.message, "class \"\\u001b[31m\\u202e\\u0000\\u009b\\u000d\" is unknown:\n\tline 1");
  assert.is(error.nextStep, "rename \\u0007.");
});

test.run();
