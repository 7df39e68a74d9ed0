/**
 * Whether the runtime's own log goes to stderr, for those who look for a fault in it; to be set before the first session is opened. Else it is silent: what it says
 * of a failure is in our errors already.
 */
export const runtimeLog = { isShown: false };
