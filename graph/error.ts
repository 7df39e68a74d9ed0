/**
 * A mistake that the user can mend: printed without a stack trace.
 * `message` says what happened to which named thing, `nextStep` what to do about it; `code` is stable for scripts and tests.
 */
export class UserError extends Error {
  readonly code: string;
  readonly nextStep: string;

  constructor(code: string, message: string, nextStep: string, options?: ErrorOptions) {
    super(message, options);
    this.name = "UserError";
    this.code = code;
    this.nextStep = nextStep;
  }
}
