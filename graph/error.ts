/**
 * A mistake that the user can mend: printed without a stack trace.
 * Control characters that a quoted name holds are shown as escapes, whoever prints the error.
 * `message` says what happened to which named thing, `nextStep` what to do about it; `code` is stable for scripts and tests.
 */
export class UserError extends Error {
  readonly code: string;
  readonly nextStep: string;

  constructor(code: string, message: string, nextStep: string, options?: ErrorOptions) {
    super(withoutControls(message), options);
    this.name = "UserError";
    this.code = code;
    this.nextStep = withoutControls(nextStep);
  }
}

/** Control characters but line break and tab, and signs that turn the direction of text, as \u escapes. */
const withoutControls = (text: string): string =>
  text.replaceAll(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, (found) => `\\u${found.charCodeAt(0).toString(16).padStart(4, "0")}`);
